//! A TOML document as it was written: every key and value with its place.
//!
//! serde's derive stops at the first error. An operator wants them all at once, so sections are read by hand:
//! whatever was not asked for is unknown, and every reading notes its problem and goes on.

use std::fmt::Display;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;
use crate::problem::{Problem, Wrong};

/// What has been found wrong so far.
pub(crate) struct Problems<'t> {
    text: &'t str,
    found: Vec<(usize, Problem)>,
}

impl<'t> Problems<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Problems { text, found: Vec::new() }
    }

    pub(crate) fn note(&mut self, at: &Place, wrong: Wrong) {
        let (line, column) = self.position(at.offset.unwrap_or(0));
        self.found.push((at.offset.unwrap_or(0), Problem { line, column, key: at.key.clone(), wrong }));
    }

    /// Line and column of a place, from 1.
    pub(crate) fn line_and_column(&self, at: &Place) -> (usize, usize) {
        self.position(at.offset.unwrap_or(0))
    }

    /// Line of a place, from 1.
    pub(crate) fn line(&self, at: &Place) -> usize {
        self.position(at.offset.unwrap_or(0)).0
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).map_or(0, |line| line.chars().count());
        (before.matches('\n').count() + 1, column + 1)
    }

    /// In the order of the file.
    ///
    /// Where the text is not TOML, that alone: what was read of it only seems wrong.
    pub(crate) fn into_vec(mut self) -> Vec<Problem> {
        let syntax = |found: &(usize, Problem)| matches!(found.1.wrong, Wrong::Syntax { .. });
        if self.found.iter().any(syntax) {
            self.found.retain(syntax);
        }
        self.found.sort_by_key(|(offset, _)| *offset);
        self.found.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// Where something stands, and under which key.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) key: String,
    /// In bytes; `None` is a default that nobody wrote.
    offset: Option<usize>,
}

impl Place {
    pub(crate) fn nowhere(key: &str) -> Self {
        Place { key: key.to_owned(), offset: None }
    }

    /// A place in a text that has no keys.
    pub(crate) const fn at_offset(offset: usize) -> Self {
        Place { key: String::new(), offset: Some(offset) }
    }

    pub(crate) const fn is_somewhere(&self) -> bool {
        self.offset.is_some()
    }

    /// A key that is missing from the table that stands here.
    pub(crate) fn child(&self, key: &str) -> Self {
        Place { key: format!("{}.{key}", self.key), offset: self.offset }
    }
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) at: Place,
}

/// A table, read key by key.
pub(crate) struct Section<'t> {
    pub(crate) at: Place,
    entries: DeTable<'t>,
    known: Vec<&'static str>,
}

/// The whole text; syntax errors are noted, and what could be read is read.
pub(crate) fn parse<'t>(text: &'t str, problems: &mut Problems<'t>) -> Section<'t> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let offset = error.span().map(|span| span.start);
        let message = error.message().to_owned();
        problems.note(&Place { key: String::new(), offset }, Wrong::Syntax { message });
    }
    section(Place::nowhere(""), table.into_inner())
}

fn section(at: Place, entries: DeTable<'_>) -> Section<'_> {
    Section { at, entries, known: Vec::new() }
}

impl<'t> Section<'t> {
    fn path(&self, key: impl Display) -> String {
        if self.at.key.is_empty() { key.to_string() } else { format!("{}.{key}", self.at.key) }
    }

    /// The value of `key`, which is known from now on.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Found<DeValue<'t>>> {
        self.known.push(key);
        let value = self.entries.remove(key)?;
        let at = Place { key: self.path(key), offset: value.span().start.into() };
        Some(Found { value: value.into_inner(), at })
    }

    /// Is there such a key that nobody took yet?
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The table under `key`: an empty one where it is absent or no table.
    pub(crate) fn section(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Section<'t> {
        let table = self.take(key).and_then(|found| found.table(problems));
        table.unwrap_or_else(|| section(Place::nowhere(&self.path(key)), DeTable::new()))
    }

    /// The tables of `[[key]]`.
    pub(crate) fn sections(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Vec<Section<'t>> {
        let items = self.take(key).and_then(|found| found.array("an array of tables", problems));
        items.into_iter().flatten().filter_map(|item| item.table(problems)).collect()
    }

    /// Notes every key that nobody took.
    pub(crate) fn finish(self, problems: &mut Problems<'_>) {
        for key in self.entries.keys() {
            let at = Place { key: self.path(key.as_ref()), offset: key.span().start.into() };
            let nearest = nearest(key.as_ref(), &self.known);
            problems.note(&at, Wrong::UnknownKey { nearest, known: self.known.clone() });
        }
    }
}

impl<'t> Found<DeValue<'t>> {
    fn refuse<T>(&self, wanted: &'static str, problems: &mut Problems<'_>) -> Option<T> {
        problems.note(&self.at, Wrong::Kind { wanted, found: kind(&self.value) });
        None
    }

    fn table(self, problems: &mut Problems<'_>) -> Option<Section<'t>> {
        match self.value {
            DeValue::Table(entries) => Some(section(self.at, entries)),
            _ => self.refuse("a table", problems),
        }
    }

    fn array(self, wanted: &'static str, problems: &mut Problems<'_>) -> Option<Vec<Found<DeValue<'t>>>> {
        let DeValue::Array(items) = self.value else { return self.refuse(wanted, problems) };
        let item = |(index, item): (usize, Spanned<DeValue<'t>>)| Found {
            at: Place { key: format!("{}[{index}]", self.at.key), offset: item.span().start.into() },
            value: item.into_inner(),
        };
        Some(items.into_iter().enumerate().map(item).collect())
    }

    /// `[]`.
    pub(crate) fn is_empty_array(&self) -> bool {
        matches!(&self.value, DeValue::Array(items) if items.is_empty())
    }

    /// A string.
    pub(crate) fn string(self, problems: &mut Problems<'_>) -> Option<Found<String>> {
        match self.value {
            DeValue::String(text) => Some(Found { value: text.into_owned(), at: self.at }),
            _ => self.refuse("a string", problems),
        }
    }

    /// An array of strings.
    pub(crate) fn strings(self, problems: &mut Problems<'_>) -> Option<Vec<Found<String>>> {
        let items = self.array("an array of strings", problems)?;
        Some(items.into_iter().filter_map(|item| item.string(problems)).collect())
    }

    /// `true` or `false`.
    pub(crate) fn boolean(self, problems: &mut Problems<'_>) -> Option<Found<bool>> {
        match self.value {
            DeValue::Boolean(value) => Some(Found { value, at: self.at }),
            _ => self.refuse("true or false", problems),
        }
    }

    /// A whole number in a range, both ends included.
    pub(crate) fn number(self, low: u64, high: u64, problems: &mut Problems<'_>) -> Option<Found<u64>> {
        let bound = |bound: u64| i64::try_from(bound).unwrap_or(i64::MAX);
        let found = self.integer(bound(low), bound(high), problems)?;
        u64::try_from(found.value).ok().map(|value| Found { value, at: found.at })
    }

    /// The same where it may be negative.
    pub(crate) fn integer(self, low: i64, high: i64, problems: &mut Problems<'_>) -> Option<Found<i64>> {
        let DeValue::Integer(integer) = &self.value else { return self.refuse("a whole number", problems) };
        let value = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let Some(value) = value.filter(|value| (low..=high).contains(value)) else {
            problems.note(&self.at, Wrong::Range { found: integer.to_string(), low, high });
            return None;
        };
        Some(Found { value, at: self.at })
    }

    /// A word or a number, as it was written.
    pub(crate) fn word(self, problems: &mut Problems<'_>) -> Option<Found<String>> {
        match &self.value {
            DeValue::Integer(integer) => Some(Found { value: integer.as_str().to_owned(), at: self.at }),
            _ => self.string(problems),
        }
    }
}

impl Found<String> {
    /// Reads the string as something narrower.
    pub(crate) fn parse<T>(
        self,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
        problems: &mut Problems<'_>,
    ) -> Option<Found<T>> {
        match read(&self.value) {
            Ok(value) => Some(Found { value, at: self.at }),
            Err(wrong) => {
                problems.note(&self.at, wrong);
                None
            }
        }
    }
}

const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
