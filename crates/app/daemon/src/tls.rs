//! `[tls]` in the words of signalling; certificates are found wrong before any port is bound.

use std::env;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tandem_config::{ClientCertificates, Config, ConfigError, Host, Problem, Wrong};
use tandem_signaling::tls::{
    self, Certificate, CertificateFiles, HostCertificate, SelfSigned, Tls, TlsConfig, TlsError,
};
use tokio::signal::unix::Signal;

use crate::ready;

/// How often the files are looked at.
const POLL: Duration = Duration::from_secs(30);

/// What signalling must be told.
pub fn translate(config: &Config) -> TlsConfig {
    let files = |files: &tandem_config::CertificateFiles| CertificateFiles {
        certificate: files.certificate.path.clone(),
        key: files.key.path.clone(),
    };
    let host = |host: &tandem_config::TlsHost| HostCertificate {
        name: host.name.clone(),
        files: files(&host.files),
    };
    let is_needed = config.sip.listen.iter().any(|listener| listener.protocol.is_encrypted());
    let written = config.tls.certificate.as_ref().map(|pair| Certificate::Files(files(pair)));
    TlsConfig {
        certificate: written.or_else(|| is_needed.then(|| Certificate::SelfSigned(self_signed(config)))),
        hosts: config.tls.hosts.iter().map(host).collect(),
        clients: match &config.tls.clients {
            ClientCertificates::Off => tls::ClientCertificates::Off,
            ClientCertificates::Optional { ca } => tls::ClientCertificates::Optional(ca.path.clone()),
            ClientCertificates::Required { ca } => tls::ClientCertificates::Required(ca.path.clone()),
        },
        servers_ca: config.tls.ca.as_ref().map(|ca| ca.path.clone()),
    }
}

fn self_signed(config: &Config) -> SelfSigned {
    SelfSigned { directory: config.tls.directory.clone().unwrap_or_else(directory), names: names(config) }
}

/// Where systemd keeps a service's state (`StateDirectory=`), else where the user's programs keep theirs.
fn directory() -> PathBuf {
    let from = |variable: &str, rest: &str| {
        let path = env::var_os(variable).filter(|value| !value.is_empty())?;
        // systemd separates several by colons.
        let first = path.to_str().and_then(|text| text.split(':').next()).map(PathBuf::from);
        Some(first.unwrap_or_else(|| path.into()).join(rest))
    };
    from("STATE_DIRECTORY", "")
        .or_else(|| from("XDG_STATE_HOME", "tandem"))
        .or_else(|| from("HOME", ".local/state/tandem"))
        .unwrap_or_else(|| PathBuf::from("/var/lib/tandem"))
}

/// By what we are reached: what is advertised, the addresses listened on, the machine's name, and loopback.
fn names(config: &Config) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |name: String| {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    };
    match config.sip.advertise.as_ref().map(|advertise| &advertise.host) {
        Some(Host::Name(name)) => add(name.trim_end_matches('.').to_ascii_lowercase()),
        Some(Host::Address(address)) => add(address.to_string()),
        None => {}
    }
    for listener in config.sip.listen.iter().filter(|listener| listener.protocol.is_encrypted()) {
        match listener.address.ip() {
            ip if !ip.is_unspecified() => add(ip.to_string()),
            IpAddr::V4(_) => ready::outside().iter().for_each(|ip| add(ip.to_string())),
            IpAddr::V6(_) => {}
        }
    }
    let machine =
        fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_ascii_lowercase();
    let is_name = machine.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if is_name && machine.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        add(machine);
    }
    add("localhost".to_owned());
    add("127.0.0.1".to_owned());
    names
}

/// Everything that is wrong with the files that the configuration names, each where it is named.
pub fn check(file: &str, config: &Config) -> Result<(), ConfigError> {
    let mut problems: Vec<Problem> =
        Tls::check(&translate(config)).iter().map(|error| problem(config, error)).collect();
    problems.sort_by_key(|problem| (problem.line, problem.column));
    if problems.is_empty() { Ok(()) } else { Err(ConfigError::Wrong { file: file.to_owned(), problems }) }
}

fn problem(config: &Config, error: &TlsError) -> Problem {
    let wrong = Wrong::File { reason: error.to_string(), help: error.help() };
    match error.path().and_then(|path| config.tls.place_of(path)) {
        Some(place) => Problem { line: place.line, column: place.column, key: place.key.clone(), wrong },
        None => Problem { line: 1, column: 1, key: "tls".to_owned(), wrong },
    }
}

/// Reloads certificates on SIGHUP, and when their files change.
pub async fn keep_fresh(tls: Arc<Tls>, mut hangup: Signal) {
    let mut due = tokio::time::interval(POLL);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            _ = due.tick() => false,
        };
        let tls = tls.clone();
        // Files may be slow; the outcome is in the log.
        let _ = tokio::task::spawn_blocking(move || {
            if asked {
                let _ = tls.reload();
            } else {
                tls.poll();
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("t.toml", text).unwrap()
    }

    #[test]
    fn a_self_signed_certificate_is_for_all_that_we_are_called() {
        let text = "[sip]\nlisten = [\"tls:192.0.2.7:5061\", \"udp:192.0.2.8:5060\"]\n\
                    advertise = \"SIP.example.com\"\n[tls]\ndirectory = \"/d\"\n";
        let Some(Certificate::SelfSigned(own)) = translate(&config(text)).certificate else { panic!("one") };
        assert_eq!(own.directory, PathBuf::from("/d"));
        assert_eq!(own.names[..2], ["sip.example.com", "192.0.2.7"]);
        assert!(own.names.contains(&"localhost".to_owned()) && !own.names.contains(&"192.0.2.8".to_owned()));
    }

    #[test]
    fn nobody_needs_a_certificate_for_plain_sip() {
        assert_eq!(translate(&config("")), TlsConfig::default());
    }

    #[test]
    fn an_unusable_file_is_told_with_its_place() {
        let text = "[sip]\nlisten = [\"tls:127.0.0.1:0\"]\n[tls]\n  certificate = \"/nowhere/c.pem\"\n  key = \"/nowhere/k.pem\"\n";
        let error = check("t.toml", &config(text)).unwrap_err().to_string();
        assert!(
            error.starts_with("t.toml:4:17: tls.certificate: /nowhere/c.pem cannot be read: "),
            "{error}"
        );
        assert!(error.contains("help: name a file that is there"), "{error}");
    }
}
