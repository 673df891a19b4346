//! The configuration in the words of the crates that it configures.

use std::sync::Arc;

use tandem_config::{Config, Host, Listener, Protocol};
use tandem_signaling::tls::Tls;
use tandem_signaling::{Advertise, ListenerConfig, SignalingConfig};
use tandem_sip::Method;
use tandem_sip::ua;
use tandem_transport::PortRange;
use tandem_worker::WorkerOptions;

use crate::version;

/// What is served; whatever else SIP knows is refused with 405 (RFC 3261 §21.4.6).
const METHODS: [Method; 8] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Options,
    Method::Info,
    Method::Prack,
    Method::Update,
];

/// Signalling's part.
pub fn signaling(config: &Config, tls: Arc<Tls>) -> SignalingConfig {
    let listeners = config.sip.listen.iter().map(|listener| ListenerConfig {
        protocol: protocol(listener.protocol),
        address: listener.address,
        advertise: advertise(config, listener),
    });
    let mut signaling = SignalingConfig::new(listeners.collect(), version::PRODUCT, METHODS.to_vec());
    signaling.agent.limits.session_expires = config.sip.session_expires;
    signaling.agent.limits.min_session_expires = config.sip.min_session_expires;
    let connections = config.sip.connections;
    signaling.streams.connections = connections.max;
    signaling.streams.connections_per_source = connections.max_per_source;
    signaling.streams.idle_timeout = connections.idle_timeout;
    signaling.streams.write_timeout = connections.write_timeout;
    signaling.dns.servers.clone_from(&config.sip.dns);
    SignalingConfig { tls: Some(tls), ..signaling }
}

/// What a listener says instead of its address: nothing where that is of the other family. The port is that of UDP and
/// TCP; what listens beside them does so on another.
fn advertise(config: &Config, listener: &Listener) -> Option<Advertise> {
    let advertise = config.sip.advertise.as_ref()?;
    let host = match &advertise.host {
        Host::Address(ip) if ip.is_ipv4() != listener.address.is_ipv4() => return None,
        Host::Address(ip) => (*ip).into(),
        Host::Name(name) => tandem_sip::Host::Name(name.clone()),
    };
    let has_port = matches!(listener.protocol, Protocol::Udp | Protocol::Tcp);
    Some(Advertise { host, port: advertise.port.filter(|_| has_port).map(Into::into) })
}

const fn protocol(protocol: Protocol) -> ua::Protocol {
    match protocol {
        Protocol::Udp => ua::Protocol::Udp,
        Protocol::Tcp => ua::Protocol::Tcp,
        Protocol::Tls => ua::Protocol::Tls,
        Protocol::Ws => ua::Protocol::Ws,
        Protocol::Wss => ua::Protocol::Wss,
    }
}

/// The media threads' part.
pub fn workers(config: &Config) -> WorkerOptions {
    let media = &config.media;
    WorkerOptions {
        threads: media.workers.map_or(0, Into::into),
        bind: media.address,
        advertise: media.advertise,
        ports: PortRange::new(media.ports.first, media.ports.last).unwrap_or_default(),
        ..WorkerOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tandem_signaling::StreamLimits;
    use tandem_signaling::tls::TlsConfig;

    use super::*;

    fn streams(sip: &str) -> StreamLimits {
        let config = Config::parse("t.toml", &format!("[sip]\n{sip}\n")).unwrap();
        signaling(&config, Arc::new(Tls::load(TlsConfig::default()).unwrap())).streams
    }

    #[test]
    fn bounds_for_connections_arrive_and_have_the_same_defaults() {
        assert_eq!(streams(""), StreamLimits::default());
        let written = "max_connections = 9\nmax_connections_per_source = 3\nidle_timeout = \"1m\"\n\
                       write_timeout = \"2s\"";
        let expected = StreamLimits {
            connections: 9,
            connections_per_source: 3,
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(2),
            ..StreamLimits::default()
        };
        assert_eq!(streams(written), expected);
    }
}
