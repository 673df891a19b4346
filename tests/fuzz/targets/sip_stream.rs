//! A stream of SIP: however it is split, the same frames come out, and memory stays bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_sip::{Frame, MAX_MESSAGE, StreamFramer};

fuzz_target!(|data: &[u8]| {
    let Some((step, stream)) = data.split_first() else { return };
    let whole = frames(stream.chunks(stream.len().max(1)));
    let split = frames(stream.chunks(usize::from(*step % 64) + 1));
    assert_eq!(whole, split);
});

fn frames<'a>(segments: impl Iterator<Item = &'a [u8]>) -> (Vec<Frame>, bool) {
    let mut framer = StreamFramer::new();
    let mut frames = Vec::new();
    for segment in segments {
        framer.push(segment);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
    }
    for frame in &frames {
        assert!(!matches!(frame, Frame::Message(bytes) if bytes.len() > MAX_MESSAGE));
    }
    (frames, false)
}
