use tandem_audio::AudioEncoder;
use tandem_base::{ClockRate, LossClass};

use crate::encoding::{Encoding, EncodingKey};
use crate::leg::Outbound;

/// Legs of one format from which on their spare encoders are kept. With two more, each class of receivers has a rendition
/// of its own; fewer share what the worst of them needs.
const CROWD: usize = 3;

/// Ticks that a leg waits for silence before it changes to a rendition that others hear: ten seconds.
const PATIENCE: u32 = 500;

/// One encode for all who hear the same mix in the same codec, parameters and packet time, and fare alike.
pub struct Rendition {
    /// The encode.
    pub encoding: Encoding,
    /// Legs of its key.
    pub members: usize,
    /// Legs that hear it in this tick.
    pub listeners: usize,
    /// It was encoded in the tick before, or is continued from a leg's own encoding.
    pub live: bool,
    /// How the worst of its receivers fares, while that is looked for.
    pub worst: LossClass,
    // What it is encoded for.
    loss: LossClass,
    // Whose state it took over in this tick.
    copy_of: Option<LossClass>,
    // Its next packet is independent.
    open: bool,
}

impl Rendition {
    /// For a room at `room`, whose group has run for `ticks` ticks.
    pub fn new(key: EncodingKey, encoder: Box<dyn AudioEncoder>, room: ClockRate, ticks: u64) -> Self {
        let encoding = Encoding::new(key, encoder, room, ticks);
        Rendition {
            encoding,
            members: 0,
            listeners: 0,
            live: false,
            worst: key.class,
            loss: key.class,
            copy_of: None,
            open: false,
        }
    }

    /// A tick begins.
    pub fn begin(&mut self) {
        self.listeners = 0;
        self.copy_of = None;
        self.open = false;
    }

    /// A leg that was encoded for alone comes in the middle of speech.
    pub fn welcome(&mut self) {
        self.open = true;
        self.encoding.welcome();
    }

    /// How those who hear it fare.
    fn expect(&mut self, loss: LossClass) {
        if loss != self.loss {
            self.loss = loss;
            self.encoding.set_loss(loss);
        }
    }

    /// May a leg that heard the one of class `from` hear this one from now on, without a click?
    fn admits(&self, from: LossClass, silent: bool) -> bool {
        silent || self.open || self.copy_of == Some(from)
    }
}

/// Which rendition is lacking for receivers of `key`, `legs` in number.
fn lacking(renditions: &[Rendition], key: EncodingKey, legs: usize) -> Option<EncodingKey> {
    let exists = |class| renditions.iter().any(|r| r.encoding.key() == key.of_class(class));
    let usual = LossClass::default();
    let wanted = LossClass::ALL.into_iter().filter(|_| legs >= CROWD && key.has_classes());
    let class = std::iter::once(usual).chain(wanted).find(|class| !exists(*class))?;
    Some(key.of_class(class))
}

/// Brings a leg to the rendition of its class, where there is one, at a moment at which that is not heard.
pub fn follow_loss(renditions: &mut [Rendition], outbound: &mut Outbound, silent: bool) {
    let (from, to) = (outbound.key(), outbound.key().of_class(outbound.loss));
    if from == to {
        outbound.waited = 0;
        return;
    }
    let position = |key| renditions.iter().position(|r| r.encoding.key() == key);
    let (Some(source), Some(target)) = (position(from), position(to)) else { return };
    if !is_divided(renditions, from) {
        return;
    }
    let Ok([source, target]) = renditions.get_disjoint_mut([source, target]) else { return };
    outbound.waited += 1;
    if !outbound.alone {
        if !target.live && source.live {
            target.encoding.continue_from(&source.encoding);
            target.copy_of = Some(from.class);
            target.live = true;
        } else if !target.admits(from.class, silent) {
            if outbound.waited < PATIENCE {
                return;
            }
            target.welcome();
        }
    }
    source.members = source.members.saturating_sub(1);
    target.members += 1;
    outbound.own.set_class(to.class);
}

/// One more leg of `key`; its `spare` encoder makes a rendition where one is lacking.
pub fn enter(
    renditions: &mut Vec<Rendition>,
    key: EncodingKey,
    make: impl FnOnce(EncodingKey) -> Option<Rendition>,
) {
    let legs: usize = akin(renditions, key).map(|r| r.members).sum();
    if let Some(rendition) = lacking(renditions, key, legs + 1).and_then(make) {
        renditions.push(rendition);
    }
    if let Some(rendition) = renditions.iter_mut().find(|r| r.encoding.key() == key) {
        rendition.members += 1;
    }
}

/// One fewer; the last of a kind takes its renditions along.
pub fn leave(renditions: &mut Vec<Rendition>, key: EncodingKey) {
    if let Some(rendition) = renditions.iter_mut().find(|r| r.encoding.key() == key) {
        rendition.members = rendition.members.saturating_sub(1);
    }
    if akin(renditions, key).all(|r| r.members == 0) {
        renditions.retain(|r| !r.encoding.key().is_akin(key));
    }
}

fn akin(renditions: &[Rendition], key: EncodingKey) -> impl Iterator<Item = &Rendition> {
    renditions.iter().filter(move |r| r.encoding.key().is_akin(key))
}

/// Has each class of receivers of `key` a rendition of its own?
fn is_divided(renditions: &[Rendition], key: EncodingKey) -> bool {
    akin(renditions, key).count() == LossClass::ALL.len()
}

/// Every encode is made for the class that it stands for, or, where they are not divided, for the worst of its receivers.
pub fn expect_losses(renditions: &mut [Rendition]) {
    for index in 0..renditions.len() {
        let Some(key) = renditions.get(index).map(|r| r.encoding.key()) else { return };
        let divided = is_divided(renditions, key);
        if let Some(rendition) = renditions.get_mut(index) {
            rendition.expect(if divided { key.class } else { rendition.worst });
        }
    }
}
