/// What a datagram on a media port is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// RTP or SRTP.
    Rtp,
    /// RTCP or SRTCP.
    Rtcp,
    /// STUN (RFC 8489).
    Stun,
    /// DTLS (RFC 9147).
    Dtls,
    /// Anything else, ZRTP and TURN channels included, or nothing at all.
    Unknown,
}

/// Tells the protocols apart that share a media port (RFC 7983 §7, RFC 5761 §4).
pub fn classify(datagram: &[u8]) -> Kind {
    match *datagram {
        [0..=3, ..] => Kind::Stun,
        [20..=63, ..] => Kind::Dtls,
        // RFC 5761 §4: payload types 64 to 95 are RTCP packet types 192 to 223 without their top bit.
        [128..=191, second, ..] if (64..=95).contains(&(second & 0x7f)) => Kind::Rtcp,
        [128..=191, _, ..] => Kind::Rtp,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_decides() {
        let expected = |first: u8| match first {
            0..=3 => Kind::Stun,
            20..=63 => Kind::Dtls,
            128..=191 => Kind::Rtp,
            _ => Kind::Unknown,
        };
        for first in 0..=255 {
            assert_eq!(classify(&[first, 0, 0, 0]), expected(first), "{first}");
        }
    }

    #[test]
    fn rtcp_shares_the_port() {
        for second in 0..=255u8 {
            let rtcp = (192..=223).contains(&second) || (64..=95).contains(&second);
            assert_eq!(classify(&[0x80, second]), if rtcp { Kind::Rtcp } else { Kind::Rtp }, "{second}");
        }
    }

    #[test]
    fn nothing_is_unknown() {
        assert_eq!(classify(&[]), Kind::Unknown);
        assert_eq!(classify(&[0x80]), Kind::Unknown);
    }
}
