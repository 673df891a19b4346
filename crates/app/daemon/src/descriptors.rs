//! How many files and sockets may be open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tandem_config::Config;

/// The log, the runtime's own, the media threads' and the like.
const OTHERS: u64 = 256;

/// Raises the soft limit to the hard one, and warns where that is less than the configuration may come to need.
pub fn raise(config: &Config) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let result = setrlimit(Resource::Nofile, raised);
    // No limit is written as none.
    let granted = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if let Err(error) = result {
        tracing::debug!(%error, granted, "the limit of open files stays as it is");
    }
    let needed = needed(config);
    if granted < needed {
        tracing::warn!(
            granted,
            needed,
            "few files may be open at once: calls or connections will be refused before \
            their own limits are reached; raise LimitNOFILE or ulimit -Hn"
        );
    }
}

/// Two sockets for each call, and one for each connection.
fn needed(config: &Config) -> u64 {
    let connections = u64::try_from(config.sip.connections.max).unwrap_or(u64::MAX);
    (2 * u64::from(config.sip.max_calls)).saturating_add(connections).saturating_add(OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(512), maximum: before.maximum }).unwrap();
        raise(&Config::embedded().unwrap());
        let after = getrlimit(Resource::Nofile);
        assert_eq!((after.current, after.maximum), (before.maximum, before.maximum));
    }

    #[test]
    fn calls_and_connections_count() {
        let config = Config::parse("t.toml", "[sip]\nmax_calls = 100\nmax_connections = 5000\n").unwrap();
        assert_eq!(needed(&config), 200 + 5_000 + 256);
    }
}
