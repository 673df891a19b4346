//! The rules against the text of the sources.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::rules::{MEDIAN_LINES, MOST_LINES, RULES, STRICT, STRICT_LINTS};

/// A source file.
pub struct Source {
    /// Below the top folder.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Too many lines.
    Long { path: PathBuf, lines: usize },
    /// Too many lines in too many files.
    Median { lines: usize },
    /// `unsafe` is let in where it must not be.
    Unsafe { path: PathBuf },
    /// A root that lacks a lint.
    Lax { path: PathBuf, lint: &'static str },
    /// A manifest that does not take the lints of the workspace.
    NoLints { path: PathBuf },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Long { path, lines } => {
                write!(f, "{}: {lines} lines, more than {MOST_LINES}", path.display())
            }
            Finding::Median { lines } => write!(f, "half of the files have more than {lines} lines"),
            Finding::Unsafe { path } => write!(f, "{}: no unsafe code here", path.display()),
            Finding::Lax { path, lint } => write!(f, "{}: must deny {lint}", path.display()),
            Finding::NoLints { path } => write!(f, "{}: [lints] workspace = true is missing", path.display()),
        }
    }
}

/// Every `.rs` and `Cargo.toml` under `crates` and `tests`, in order.
pub fn read(root: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    for folder in ["crates", "tests"] {
        walk(root, &root.join(folder), &mut found)?;
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if kind?.is_dir() {
            // What cargo and cargo-fuzz put there is not ours.
            if !["target", "corpus", "artifacts"].contains(&name.as_str()) {
                walk(root, &path, found)?;
            }
        } else if name.ends_with(".rs") || name == "Cargo.toml" {
            let text = fs::read_to_string(&path)?;
            found.push(Source { path: path.strip_prefix(root).unwrap_or(&path).to_owned(), text });
        }
    }
    Ok(())
}

/// Everything that is broken.
pub fn findings(sources: &[Source]) -> Vec<Finding> {
    let (rust, manifests): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|source| source.path.extension().is_some_and(|extension| extension == "rs"));
    let mut found: Vec<Finding> = rust.iter().filter_map(|source| long(source)).collect();
    found.extend(median(&rust));
    found.extend(rust.iter().filter_map(|source| unsafe_code(source)));
    found.extend(manifests.iter().filter_map(|manifest| no_lints(manifest)));
    found.extend(STRICT.iter().flat_map(|folder| lax(folder, &rust)));
    found
}

fn long(source: &Source) -> Option<Finding> {
    let lines = source.text.lines().count();
    (lines > MOST_LINES).then(|| Finding::Long { path: source.path.clone(), lines })
}

/// Lines of the file in the middle.
pub fn median_lines(rust: &[&Source]) -> usize {
    let mut lines: Vec<usize> = rust.iter().map(|source| source.text.lines().count()).collect();
    lines.sort_unstable();
    lines.get(lines.len() / 2).copied().unwrap_or(0)
}

fn median(rust: &[&Source]) -> Option<Finding> {
    let lines = median_lines(rust);
    (lines > MEDIAN_LINES).then_some(Finding::Median { lines })
}

/// The workspace denies unsafe code; so only an attribute that allows it again can let it in.
fn unsafe_code(source: &Source) -> Option<Finding> {
    let mut allowed = RULES.iter().filter(|rule| rule.may_be_unsafe);
    let home = allowed.any(|rule| source.path.starts_with(Path::new("crates").join(rule.folder)));
    let attribute = |line: &str| line.trim_start().starts_with("#") && line.contains("unsafe_code");
    let here = source.text.lines().any(attribute);
    (here && !home).then(|| Finding::Unsafe { path: source.path.clone() })
}

fn no_lints(manifest: &Source) -> Option<Finding> {
    // cargo-fuzz keeps its crate out of the workspace, and so out of its lints.
    let outside = manifest.path.starts_with("tests/fuzz");
    let taken = manifest.text.contains("[lints]\nworkspace = true");
    (!taken && !outside).then(|| Finding::NoLints { path: manifest.path.clone() })
}

fn lax(folder: &str, rust: &[&Source]) -> Vec<Finding> {
    let path = Path::new("crates").join(folder).join("src/lib.rs");
    let Some(root) = rust.iter().find(|source| source.path == path) else { return Vec::new() };
    let denied: String =
        root.text.split("#![deny(").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let missing = STRICT_LINTS.iter().filter(|lint| !denied.contains(*lint));
    missing.map(|lint| Finding::Lax { path: path.clone(), lint }).collect()
}
