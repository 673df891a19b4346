//! Redundant audio in the description: `red` with the formats that its packets may bring (RFC 2198 §5).

use tandem_base::PayloadType;

/// Copies of earlier packets that we ever put into one.
pub(crate) const MAX_COPIES: u8 = 2;

/// How many copies of `codec` the peer takes in one packet, 0 to [`MAX_COPIES`], by its `a=fmtp`: what leads a packet,
/// then what may be copied. `None` where such packets do not lead with the codec.
pub(crate) fn copies(fmtp: Option<&str>, codec: PayloadType) -> Option<u8> {
    // Without one nobody knows what it takes, but what it sends tells by itself.
    let Some(fmtp) = fmtp else { return Some(0) };
    let mut formats =
        fmtp.split('/').take(8).map(|number| number.trim().parse().ok().and_then(PayloadType::new));
    if formats.next() != Some(Some(codec)) {
        return None;
    }
    let copies = formats.filter(|number| *number == Some(codec)).count();
    Some(u8::try_from(copies).unwrap_or(MAX_COPIES).min(MAX_COPIES))
}

/// The `a=fmtp` for as many copies; one at least, since we take them whether or not the peer does.
pub(crate) fn fmtp(codec: PayloadType, copies: u8) -> String {
    let number = codec.to_string();
    vec![number.as_str(); 1 + usize::from(copies.max(1))].join("/")
}
