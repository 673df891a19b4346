use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest pattern, characters.
pub const MAX_PATTERN: usize = 128;

/// Which user parts open a room on demand.
///
/// | written | fits |
/// |---|---|
/// | `1000-1999` | every number from the first to the last, both included, of just that many digits |
/// | `*` | any run of characters, none included |
/// | `?` | any one character |
/// | `[abc]`, `[0-9]`, `[!x]` | one character of the class; not of it after `!` |
/// | anything else | itself, case-sensitively |
///
/// The whole user part must fit. Matching takes at most pattern length × text length steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Digit strings of equal length: their order as text is their order as numbers, at any length.
    Range {
        first: String,
        last: String,
    },
    Glob(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Run,
    One,
    Literal(char),
    Class { negated: bool, spans: Vec<(char, char)> },
}

/// Why a text is no pattern, and what would be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing there.
    #[error("a pattern must not be empty; '*' fits everything")]
    Empty,
    /// More than [`MAX_PATTERN`] characters.
    #[error("a pattern has at most {MAX_PATTERN} characters")]
    TooLong,
    /// A range whose ends differ in length.
    #[error(
        "both ends of a number range need the same number of digits, as in 1000-1999; \
         for a literal hyphen write [-]"
    )]
    UnequalLengths,
    /// A range whose end lies before its beginning.
    #[error("a number range runs upwards: write {last}-{first}")]
    Backwards {
        /// What stands first.
        first: String,
        /// What stands last.
        last: String,
    },
    /// A `[` without its `]`.
    #[error("the '[' at character {at} is never closed: write [abc] or [0-9]")]
    Unclosed {
        /// Its place, from 1.
        at: usize,
    },
    /// A `]` without its `[`.
    #[error("the ']' at character {at} closes nothing: write [abc] or [0-9]")]
    Unopened {
        /// Its place, from 1.
        at: usize,
    },
    /// `[]` fits nothing.
    #[error("the class at character {at} is empty: write [abc] or [0-9]")]
    EmptyClass {
        /// Place of its `[`, from 1.
        at: usize,
    },
    /// A span such as `z-a`.
    #[error("{first}-{last} in the class at character {at} runs backwards: write {last}-{first}")]
    BackwardsClass {
        /// Place of its `[`, from 1.
        at: usize,
        /// What stands first.
        first: char,
        /// What stands last.
        last: char,
    },
}

impl Pattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Does the whole of `user` (percent-escapes undone) fit?
    pub fn matches(&self, user: &str) -> bool {
        match &self.kind {
            Kind::Range { first, last } => in_range(user, first, last),
            Kind::Glob(tokens) => glob(tokens, user),
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.chars().count() > MAX_PATTERN {
            return Err(PatternError::TooLong);
        }
        let kind = match parse_range(text) {
            Some(range) => range?,
            None => Kind::Glob(parse_glob(text)?),
        };
        Ok(Pattern { text: text.to_owned(), kind })
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn in_range(user: &str, first: &str, last: &str) -> bool {
    user.len() == first.len() && is_number(user) && (first..=last).contains(&user)
}

/// `None` where the text is not two numbers with a hyphen between them.
fn parse_range(text: &str) -> Option<Result<Kind, PatternError>> {
    let (first, last) = text.split_once('-')?;
    if !is_number(first) || !is_number(last) {
        return None;
    }
    let (first, last) = (first.to_owned(), last.to_owned());
    Some(if first.len() != last.len() {
        Err(PatternError::UnequalLengths)
    } else if first > last {
        Err(PatternError::Backwards { first, last })
    } else {
        Ok(Kind::Range { first, last })
    })
}

fn parse_glob(text: &str) -> Result<Vec<Token>, PatternError> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().zip(1..);
    while let Some((c, at)) = chars.next() {
        tokens.push(match c {
            '*' => Token::Run,
            '?' => Token::One,
            '[' => parse_class(&mut chars, at)?,
            ']' => return Err(PatternError::Unopened { at }),
            c => Token::Literal(c),
        });
    }
    // Two runs in a row fit what one fits.
    tokens.dedup_by(|a, b| *a == Token::Run && *b == Token::Run);
    Ok(tokens)
}

fn parse_class(chars: &mut impl Iterator<Item = (char, usize)>, at: usize) -> Result<Token, PatternError> {
    let mut members = Vec::new();
    loop {
        match chars.next() {
            None => return Err(PatternError::Unclosed { at }),
            Some((']', _)) => break,
            Some((c, _)) => members.push(c),
        }
    }
    let negated = members.first() == Some(&'!');
    let members = members.get(usize::from(negated)..).unwrap_or_default();
    if members.is_empty() {
        return Err(PatternError::EmptyClass { at });
    }
    Ok(Token::Class { negated, spans: parse_spans(members, at)? })
}

/// A hyphen at either end stands for itself.
fn parse_spans(mut members: &[char], at: usize) -> Result<Vec<(char, char)>, PatternError> {
    let mut spans = Vec::new();
    loop {
        members = match members {
            [] => return Ok(spans),
            [first, '-', last, rest @ ..] => {
                if first > last {
                    return Err(PatternError::BackwardsClass { at, first: *first, last: *last });
                }
                spans.push((*first, *last));
                rest
            }
            [one, rest @ ..] => {
                spans.push((*one, *one));
                rest
            }
        };
    }
}

impl Token {
    fn fits(&self, c: char) -> bool {
        match self {
            Token::Run | Token::One => true,
            Token::Literal(literal) => *literal == c,
            Token::Class { negated, spans } => {
                spans.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *negated
            }
        }
    }
}

/// Only the last run seen is ever tried again: an earlier one could not help, so time stays quadratic.
fn glob(mut tokens: &[Token], text: &str) -> bool {
    let mut rest = text.chars();
    let mut retry: Option<(&[Token], std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = rest.clone();
        match (tokens, ahead.next()) {
            ([Token::Run, after @ ..], _) => {
                retry = Some((after, rest.clone()));
                tokens = after;
                continue;
            }
            ([token, after @ ..], Some(c)) if token.fits(c) => {
                tokens = after;
                rest = ahead;
                continue;
            }
            ([], None) => return true,
            _ => {}
        }
        let Some((after, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        tokens = after;
        rest = from.clone();
    }
}
