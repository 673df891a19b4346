/// Turns the tick's frames into the frames that a leg sends: 20 ms in, 10 to 60 ms out, order kept.
///
/// ```
/// # use tandem_audio::FrameAdapter;
/// let mut adapter = FrameAdapter::new(480, 160); // 60 ms from 20 ms, 8 kHz
/// for _ in 0..3 {
///     adapter.push(&[0.0; 160]);
/// }
/// assert_eq!(adapter.next_frame().map(<[f32]>::len), Some(480));
/// assert!(adapter.next_frame().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct FrameAdapter {
    frame: usize,
    held: Vec<f32>,
    start: usize,
}

impl FrameAdapter {
    /// Frames of `frame` samples come out; at most `largest_push` go in at once.
    pub fn new(frame: usize, largest_push: usize) -> Self {
        FrameAdapter { frame: frame.max(1), held: Vec::with_capacity(frame.max(1) + largest_push), start: 0 }
    }

    /// Samples of one frame that comes out.
    pub fn frame_len(&self) -> usize {
        self.frame
    }

    /// Puts samples in. What does not fit (frames were not taken out) pushes out the oldest.
    pub fn push(&mut self, pcm: &[f32]) {
        self.compact();
        let room = self.held.capacity();
        let pcm = pcm.get(pcm.len().saturating_sub(room)..).unwrap_or_default();
        let excess = (self.held.len() + pcm.len()).saturating_sub(room);
        self.held.drain(..excess.min(self.held.len()));
        self.held.extend_from_slice(pcm);
    }

    fn compact(&mut self) {
        self.held.drain(..self.start.min(self.held.len()));
        self.start = 0;
    }

    /// The next whole frame, if one is there.
    pub fn next_frame(&mut self) -> Option<&[f32]> {
        let end = self.start + self.frame;
        let frame = self.held.get(self.start..end)?;
        self.start = end;
        Some(frame)
    }

    /// Samples waiting for the rest of their frame.
    pub fn pending(&self) -> usize {
        self.held.len() - self.start
    }

    /// Drops what is held.
    pub fn clear(&mut self) {
        self.held.clear();
        self.start = 0;
    }
}
