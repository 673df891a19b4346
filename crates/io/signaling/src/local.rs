use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tandem_base::Time;

/// Which of this host's addresses a peer sees: found by connecting a UDP socket, which sends nothing.
#[derive(Debug, Default)]
pub(crate) struct LocalAddresses {
    towards: BTreeMap<IpAddr, (IpAddr, Time)>,
}

/// Routes change; a minute later the kernel is asked anew.
const FRESH: Duration = Duration::from_secs(60);
const CAPACITY: usize = 4_096;

impl LocalAddresses {
    /// Our address towards `remote`; `None` when there is no route.
    pub fn towards(&mut self, remote: IpAddr, now: Time) -> Option<IpAddr> {
        if let Some((local, until)) = self.towards.get(&remote)
            && now < *until
        {
            return Some(*local);
        }
        if self.towards.len() >= CAPACITY {
            self.towards.clear();
        }
        let local = ask(remote)?;
        self.towards.insert(remote, (local, now + FRESH));
        Some(local)
    }
}

fn ask(remote: IpAddr) -> Option<IpAddr> {
    let wildcard: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(wildcard, 0)).ok()?;
    socket.connect(SocketAddr::new(remote, 9)).ok()?;
    socket.local_addr().ok().map(|a| a.ip()).filter(|ip| !ip.is_unspecified())
}

/// The address that most of the world sees: the one of the default route, else loopback.
pub(crate) fn default_address(v4: bool) -> IpAddr {
    // Addresses for documentation (RFC 5737, RFC 3849): beyond every route but the default one.
    let (far, loopback): (IpAddr, IpAddr) = if v4 {
        (Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::LOCALHOST.into())
    } else {
        (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(), Ipv6Addr::LOCALHOST.into())
    };
    ask(far).unwrap_or(loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_seen_from_loopback() {
        let mut local = LocalAddresses::default();
        let (home, now) = (IpAddr::from(Ipv4Addr::LOCALHOST), Time::ZERO);
        assert_eq!(local.towards(home, now), Some(home));
        assert_eq!(local.towards(home, now), Some(home));
        assert!(!default_address(true).is_unspecified());
    }
}
