//! The configuration in the words of the crates that it configures.

use tandem_config::{Config, Host, Protocol};
use tandem_signaling::{Advertise, ListenerConfig, SignalingConfig};
use tandem_sip::Method;
use tandem_sip::ua;
use tandem_transport::PortRange;
use tandem_worker::WorkerOptions;

use crate::version;

/// What is served; whatever else SIP knows is refused with 405 (RFC 3261 §21.4.6).
const METHODS: [Method; 5] = [Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options];

/// Signalling's part.
pub fn signaling(config: &Config) -> SignalingConfig {
    let advertise = config.sip.advertise.as_ref().map(|advertise| Advertise {
        host: match &advertise.host {
            Host::Address(ip) => (*ip).into(),
            Host::Name(name) => tandem_sip::Host::Name(name.clone()),
        },
        port: advertise.port.map(Into::into),
    });
    let listeners = config.sip.listen.iter().map(|listener| ListenerConfig {
        protocol: protocol(listener.protocol),
        address: listener.address,
        advertise: advertise.clone(),
    });
    SignalingConfig::new(listeners.collect(), version::PRODUCT, METHODS.to_vec())
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
