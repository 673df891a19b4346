use tandem_base::Ssrc;

use super::SrtpError;

/// What stands in the clear of an RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpHeader {
    pub ssrc: Ssrc,
    pub sequence: u16,
    /// Octets in front of the payload: fixed header, contributing sources, extension.
    pub len: usize,
}

/// Octets of an RTCP compound that stay in the clear (RFC 3711 §3.4).
pub const RTCP_HEADER: usize = 8;

impl RtpHeader {
    /// Reads it (RFC 3550 §5.1, §5.3.1). Padding is none of its business: its count is encrypted.
    pub fn parse(packet: &[u8]) -> Result<Self, SrtpError> {
        let fixed = packet.first_chunk::<12>().ok_or(SrtpError::Malformed)?;
        let &[first, _, s0, s1, _, _, _, _, a, b, c, d] = fixed;
        if first >> 6 != 2 {
            return Err(SrtpError::Malformed);
        }
        let mut len = 12 + 4 * usize::from(first & 0x0f);
        if first & 0x10 != 0 {
            let words = packet.get(len + 2..len + 4).and_then(|b| b.first_chunk::<2>());
            len += 4 + 4 * usize::from(u16::from_be_bytes(*words.ok_or(SrtpError::Malformed)?));
        }
        if len > packet.len() {
            return Err(SrtpError::Malformed);
        }
        let ssrc = Ssrc(u32::from_be_bytes([a, b, c, d]));
        Ok(RtpHeader { ssrc, sequence: u16::from_be_bytes([s0, s1]), len })
    }
}

/// The sender of an RTCP compound.
pub fn rtcp_sender(packet: &[u8]) -> Result<Ssrc, SrtpError> {
    let &[first, _, _, _, a, b, c, d] = packet.first_chunk::<8>().ok_or(SrtpError::Malformed)?;
    if first >> 6 != 2 {
        return Err(SrtpError::Malformed);
    }
    Ok(Ssrc(u32::from_be_bytes([a, b, c, d])))
}
