//! The layers as data: who may use whom, and what is banned where.

/// What one crate may use.
pub struct Rule {
    /// Its folder under `crates/`.
    pub folder: &'static str,
    /// Folders it may use; a prefix that ends in `/` stands for a layer.
    pub may_use: &'static [&'static str],
    /// Packages from outside that it must not reach, not even through others.
    pub never: &'static [&'static str],
    /// Whether `unsafe` may stand in it.
    pub may_be_unsafe: bool,
}

/// Sockets, threads, clocks and logs: not in the core.
const CORE_NEVER: &[&str] = &[
    "tokio",
    "mio",
    "socket2",
    "libc",
    "rustix",
    "crossbeam-channel",
    "getrandom",
    "tracing",
    "log",
    "gstreamer",
];
/// The threads of the media never run an async runtime; SIP and pictures are no business of theirs.
const MEDIA_NEVER: &[&str] = &["tokio", "mio", "axum", "hyper", "gstreamer"];
const NO_PICTURES_NO_SERVER: &[&str] = &["axum", "hyper", "gstreamer"];

const fn core(folder: &'static str, may_use: &'static [&'static str]) -> Rule {
    Rule { folder, may_use, never: CORE_NEVER, may_be_unsafe: false }
}

const fn shell(
    folder: &'static str,
    may_use: &'static [&'static str],
    never: &'static [&'static str],
) -> Rule {
    Rule { folder, may_use, never, may_be_unsafe: false }
}

/// One row per crate.
pub const RULES: &[Rule] = &[
    core("core/base", &[]),
    core("core/sip", &["core/base"]),
    core("core/sdp", &["core/base"]),
    core("core/rtp", &["core/base"]),
    core("core/audio", &["core/base"]),
    core("core/layout", &["core/base"]),
    core("core/conference", &["core/base", "core/layout"]),
    core("core/call", &["core/base", "core/sip", "core/sdp"]),
    core("core/routing", &["core/base"]),
    Rule {
        folder: "io/codec",
        may_use: &["core/base", "core/audio"],
        never: MEDIA_NEVER,
        may_be_unsafe: true,
    },
    shell("io/transport", &["core/base", "core/rtp"], MEDIA_NEVER),
    Rule {
        folder: "io/worker",
        may_use: &["core/base", "core/rtp", "core/audio", "io/codec", "io/transport"],
        never: MEDIA_NEVER,
        may_be_unsafe: true,
    },
    Rule {
        folder: "io/video",
        may_use: &["core/base", "core/layout"],
        never: &["tokio", "mio", "axum", "hyper"],
        may_be_unsafe: true,
    },
    shell("io/signaling", &["core/base", "core/sip"], NO_PICTURES_NO_SERVER),
    shell("app/config", &["core/base", "core/routing"], NO_PICTURES_NO_SERVER),
    shell("app/control", &["core/", "app/config"], NO_PICTURES_NO_SERVER),
    shell("app/api", &["app/control", "core/base"], &["gstreamer"]),
    shell("app/daemon", &["core/", "io/", "app/"], &[]),
    shell("dev/testkit", &["core/"], &[]),
    shell("dev/arrows", &[], &[]),
];

/// For tests: any crate may depend on it, as a dev-dependency only.
pub const TESTKIT: &str = "dev/testkit";

/// Crates that read what comes from outside: their roots deny unchecked indexes and truncating casts.
pub const STRICT: &[&str] =
    &["core/sip", "core/sdp", "core/rtp", "core/routing", "core/conference", "core/call", "app/config"];

/// What a strict crate's root says.
pub const STRICT_LINTS: &[&str] =
    &["clippy::indexing_slicing", "clippy::cast_possible_truncation", "clippy::cast_sign_loss"];

/// Lines that a source file may have.
pub const MOST_LINES: usize = 1_500;
/// Lines that half of the files may have at most.
pub const MEDIAN_LINES: usize = 250;
