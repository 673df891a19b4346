//! The rules against the graph.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::metadata::{Metadata, Node, Package};
use crate::rules::{RULES, Rule, TESTKIT};

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    /// A crate that no row of the table allows.
    Unknown { folder: String },
    /// A package whose name does not tell its folder.
    Misnamed { folder: String, name: String },
    /// An arrow that the table does not have.
    Arrow { from: String, to: String },
    /// Test code in the program.
    Testkit { from: String },
    /// A banned package, and the way there.
    Banned { from: String, package: String, by: Vec<String> },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Unknown { folder } => write!(f, "crates/{folder} has no row in the table of layers"),
            Violation::Misnamed { folder, name } => write!(f, "crates/{folder} is named {name}"),
            Violation::Arrow { from, to } => write!(f, "crates/{from} must not use crates/{to}"),
            Violation::Testkit { from } => write!(f, "crates/{from} uses the testkit outside of its tests"),
            Violation::Banned { from, package, by } => {
                write!(f, "crates/{from} must not know {package}, which comes by {}", by.join(" → "))
            }
        }
    }
}

/// The graph, for looking things up.
struct Graph<'m> {
    nodes: BTreeMap<&'m str, &'m Node>,
    packages: BTreeMap<&'m str, &'m Package>,
    /// Folder under `crates/` of each package that has one.
    folders: BTreeMap<&'m str, String>,
}

/// Everything that is broken, sorted.
pub fn violations(metadata: &Metadata) -> Vec<Violation> {
    let graph = Graph::new(metadata);
    let mut found: Vec<_> =
        graph.folders.iter().flat_map(|(id, folder)| graph.of_crate(id, folder)).collect();
    found.sort();
    found
}

impl<'m> Graph<'m> {
    fn new(metadata: &'m Metadata) -> Self {
        let crates = metadata.workspace_root.join("crates");
        let folder = |package: &'m Package| {
            let inside = package.manifest_path.parent()?.strip_prefix(&crates).ok()?;
            Some((package.id.as_str(), inside.to_string_lossy().into_owned()))
        };
        let members = |package: &&Package| metadata.workspace_members.contains(&package.id);
        Graph {
            nodes: metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect(),
            packages: metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect(),
            folders: metadata.packages.iter().filter(members).filter_map(folder).collect(),
        }
    }

    fn name(&self, id: &'m str) -> &'m str {
        self.packages.get(id).map_or(id, |package| package.name.as_str())
    }

    fn of_crate(&self, id: &'m str, folder: &str) -> Vec<Violation> {
        let Some(rule) = RULES.iter().find(|rule| rule.folder == folder) else {
            return vec![Violation::Unknown { folder: folder.to_owned() }];
        };
        let mut found = self.misnamed(id, folder);
        found.extend(self.arrows(id, rule));
        found.extend(self.banned(id, rule));
        found
    }

    fn misnamed(&self, id: &'m str, folder: &str) -> Vec<Violation> {
        let last = folder.rsplit('/').next().unwrap_or(folder);
        let expected = if last == "daemon" { "tandem".to_owned() } else { format!("tandem-{last}") };
        let name = self.name(id).to_owned();
        if name == expected {
            Vec::new()
        } else {
            vec![Violation::Misnamed { folder: folder.to_owned(), name }]
        }
    }

    /// Arrows to crates of our own. Tests may use the testkit and whatever lies in their own layer or below.
    fn arrows(&self, id: &str, rule: &Rule) -> Vec<Violation> {
        let from = rule.folder.to_owned();
        let mut found = Vec::new();
        for dependency in self.nodes.get(id).iter().flat_map(|node| &node.deps) {
            let Some(to) = self.folders.get(dependency.pkg.as_str()) else { continue };
            match (dependency.is_normal(), to == TESTKIT) {
                (true, true) => found.push(Violation::Testkit { from: from.clone() }),
                (true, false) if !allows(rule.may_use, to) => {
                    found.push(Violation::Arrow { from: from.clone(), to: to.clone() });
                }
                (false, false) if layer(to) > layer(rule.folder) => {
                    found.push(Violation::Arrow { from: from.clone(), to: to.clone() });
                }
                _ => {}
            }
        }
        found
    }

    /// Banned packages that the crate reaches; not through dev- or build-dependencies.
    fn banned(&self, id: &'m str, rule: &Rule) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::from([id]);
        let mut open: Vec<(&str, Vec<String>)> = vec![(id, Vec::new())];
        while let Some((at, by)) = open.pop() {
            for dependency in
                self.nodes.get(at).iter().flat_map(|node| &node.deps).filter(|dep| dep.is_normal())
            {
                let to = dependency.pkg.as_str();
                if !seen.insert(to) {
                    continue;
                }
                let by: Vec<String> = by.iter().cloned().chain([self.name(to).to_owned()]).collect();
                if rule.never.contains(&self.name(to)) {
                    let (from, package) = (rule.folder.to_owned(), self.name(to).to_owned());
                    found.push(Violation::Banned { from, package, by: by.clone() });
                }
                open.push((to, by));
            }
        }
        found
    }
}

fn allows(may_use: &[&str], folder: &str) -> bool {
    may_use.iter().any(|allowed| folder == *allowed || allowed.ends_with('/') && folder.starts_with(allowed))
}

/// Higher uses lower.
fn layer(folder: &str) -> u8 {
    match folder.split('/').next() {
        Some("core") => 0,
        Some("io") => 1,
        Some("app") => 2,
        _ => 3,
    }
}
