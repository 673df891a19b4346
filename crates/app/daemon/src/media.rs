//! The media threads as control sees them.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use tandem_base::{
    Attachment, AudioStream, Epoch, Fault, LegId, LegSound, LocalMedia, MediaTimeouts, RoomAudio,
};
use tandem_control::Media;
use tandem_worker::Workers;

/// The workers behind control's port.
pub struct MediaThreads(pub Arc<Workers>);

impl Media for MediaThreads {
    fn open(&self, leg: LegId, peer: IpAddr, timeouts: MediaTimeouts) -> Result<LocalMedia, Fault> {
        let mut local = self.0.open(leg, timeouts)?;
        // Bound to every address: the peer is told the one that it is reached from.
        if local.rtp.ip().is_unspecified()
            && let Some(ip) = towards(peer, local.rtp.ip())
        {
            local.rtp.set_ip(ip);
            local.rtcp.set_ip(ip);
        }
        Ok(local)
    }

    fn configure(
        &self,
        leg: LegId,
        epoch: Epoch,
        stream: AudioStream,
        attachment: Attachment,
        audio: RoomAudio,
    ) -> Result<(), Fault> {
        self.0.configure(leg, epoch, stream, attachment, audio)
    }

    fn adjust(&self, leg: LegId, sound: LegSound) -> Result<(), Fault> {
        self.0.adjust(leg, sound)
    }

    fn close(&self, leg: LegId) {
        self.0.close(leg);
    }
}

/// Our address towards `peer`: what the kernel gives a socket that is connected there, which sends nothing.
fn towards(peer: IpAddr, any: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(peer.to_canonical(), 9)).ok()?;
    // A socket of both families tells IPv4 addresses as IPv6 ones, which no SDP may.
    socket.local_addr().ok().map(|address| address.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn each_peer_is_told_an_address_of_its_own_family() {
        let any = IpAddr::from(Ipv6Addr::UNSPECIFIED);
        let (v4, v6) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST));
        assert_eq!(towards(v4, any), Some(v4));
        assert_eq!(towards(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(), any), Some(v4));
        assert_eq!(towards(v6, any), Some(v6));
        assert_eq!(towards(v4, Ipv4Addr::UNSPECIFIED.into()), Some(v4));
    }
}
