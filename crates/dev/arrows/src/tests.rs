use std::path::PathBuf;

use crate::check::{Violation, violations};
use crate::metadata::{Dependency, DependencyKind, Metadata, Node, Package, Resolve};
use crate::rules::RULES;
use crate::sources::{Finding, Source, findings};

/// Packages (name, folder; an empty folder is from outside) and arrows (from, to, kind).
fn workspace(packages: &[(&str, &str)], arrows: &[(&str, &str, Option<&str>)]) -> Metadata {
    let package = |(name, folder): &(&str, &str)| Package {
        id: (*name).to_owned(),
        name: (*name).to_owned(),
        manifest_path: if folder.is_empty() {
            PathBuf::from(format!("/registry/{name}/Cargo.toml"))
        } else {
            PathBuf::from(format!("/w/crates/{folder}/Cargo.toml"))
        },
    };
    let deps = |name: &str| {
        let mine = arrows.iter().filter(|(from, ..)| *from == name);
        let kind = |kind: Option<&str>| vec![DependencyKind { kind: kind.map(str::to_owned) }];
        mine.map(|(_, to, purpose)| Dependency { pkg: (*to).to_owned(), dep_kinds: kind(*purpose) }).collect()
    };
    Metadata {
        packages: packages.iter().map(package).collect(),
        resolve: Resolve {
            nodes: packages
                .iter()
                .map(|(name, _)| Node { id: (*name).to_owned(), deps: deps(name) })
                .collect(),
        },
        workspace_root: PathBuf::from("/w"),
        workspace_members: packages
            .iter()
            .filter(|(_, folder)| !folder.is_empty())
            .map(|p| p.0.to_owned())
            .collect(),
    }
}

const PACKAGES: &[(&str, &str)] = &[
    ("tandem-base", "core/base"),
    ("tandem-sip", "core/sip"),
    ("tandem-rtp", "core/rtp"),
    ("tandem-worker", "io/worker"),
    ("tandem-testkit", "dev/testkit"),
    ("tandem", "app/daemon"),
    ("tokio", ""),
    ("innocent", ""),
];

#[test]
fn arrows_that_point_down_are_fine() {
    let arrows = [
        ("tandem-sip", "tandem-base", None),
        ("tandem-worker", "tandem-rtp", None),
        ("tandem", "tandem-worker", None),
        ("tandem", "tokio", None),
        ("tandem-sip", "tandem-testkit", Some("dev")),
        ("tandem-rtp", "tokio", Some("dev")),
    ];
    assert_eq!(violations(&workspace(PACKAGES, &arrows)), []);
}

#[test]
fn arrows_across_and_up_are_told() {
    let arrows = [("tandem-sip", "tandem-rtp", None), ("tandem-rtp", "tandem-worker", Some("dev"))];
    let expected = [("core/rtp", "io/worker"), ("core/sip", "core/rtp")];
    let expected = expected.map(|(from, to)| Violation::Arrow { from: from.to_owned(), to: to.to_owned() });
    assert_eq!(violations(&workspace(PACKAGES, &arrows)), expected);
}

#[test]
fn test_code_in_the_program_is_told() {
    let arrows = [("tandem-sip", "tandem-testkit", None)];
    assert_eq!(
        violations(&workspace(PACKAGES, &arrows)),
        [Violation::Testkit { from: "core/sip".to_owned() }]
    );
}

#[test]
fn a_banned_package_is_found_behind_others() {
    let arrows = [("tandem-worker", "innocent", None), ("innocent", "tokio", None)];
    let [Violation::Banned { from, package, by }] = &violations(&workspace(PACKAGES, &arrows))[..] else {
        panic!()
    };
    assert_eq!(
        (from.as_str(), package.as_str(), by.join(">").as_str()),
        ("io/worker", "tokio", "innocent>tokio")
    );
}

#[test]
fn crates_without_a_row_or_with_another_name_are_told() {
    let packages = [("tandem-x", "core/x"), ("rtp", "core/rtp")];
    let expected = [
        Violation::Unknown { folder: "core/x".to_owned() },
        Violation::Misnamed { folder: "core/rtp".to_owned(), name: "rtp".to_owned() },
    ];
    assert_eq!(violations(&workspace(&packages, &[])), expected);
}

#[test]
fn the_table_itself_points_down() {
    let place = |folder: &str| RULES.iter().position(|rule| rule.folder == folder);
    for rule in RULES {
        for to in rule.may_use.iter().filter(|to| !to.ends_with('/')) {
            assert!(place(to).is_some() && (place(to) < place(rule.folder)), "{} → {to}", rule.folder);
        }
    }
}

fn source(path: &str, text: &str) -> Source {
    Source { path: PathBuf::from(path), text: text.to_owned() }
}

#[test]
fn long_files_are_told() {
    let path = "crates/core/base/src/a.rs";
    let found = findings(&[source(path, &"x\n".repeat(1_501))]);
    let expected =
        [Finding::Long { path: PathBuf::from(path), lines: 1_501 }, Finding::Median { lines: 1_501 }];
    assert_eq!(found, expected);
    assert_eq!(findings(&[source(path, &"x\n".repeat(250))]), []);
}

#[test]
fn unsafe_code_has_its_homes() {
    let text = "#![allow(unsafe_code)]\n";
    assert_eq!(findings(&[source("crates/io/worker/src/a.rs", text)]), []);
    let path = PathBuf::from("crates/core/sip/src/a.rs");
    assert_eq!(findings(&[source("crates/core/sip/src/a.rs", text)]), [Finding::Unsafe { path }]);
}

#[test]
fn strict_crates_and_manifests_say_their_lints() {
    let lint = "clippy::cast_sign_loss";
    let deny = "#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]";
    let path = PathBuf::from("crates/core/sip/src/lib.rs");
    assert_eq!(findings(&[source("crates/core/sip/src/lib.rs", deny)]), [Finding::Lax { path, lint }]);
    let path = PathBuf::from("crates/core/sip/Cargo.toml");
    assert_eq!(findings(&[source("crates/core/sip/Cargo.toml", "[lints]\n")]), [Finding::NoLints { path }]);
    assert_eq!(findings(&[source("crates/core/sip/Cargo.toml", "[lints]\nworkspace = true\n")]), []);
}
