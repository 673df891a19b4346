use std::fmt;

use tandem_audio::{AudioDecoder, AudioEncoder};
use tandem_base::{AudioFormat, AudioStream, Blame, Fault, ReceiveFormat};
use tandem_codec::{CodecError, EncoderSettings, decoder, encoder};

/// The encoders and decoders of one configuration, made on the caller's thread.
pub struct Codecs {
    /// One per format that the peer may send.
    pub decoders: Vec<(ReceiveFormat, Box<dyn AudioDecoder>)>,
    /// For what only this leg hears.
    pub encoder: Box<dyn AudioEncoder>,
    /// For what it shares with others, unless they have one already.
    pub shared: Box<dyn AudioEncoder>,
}

impl fmt::Debug for Codecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codecs({} decoders)", self.decoders.len())
    }
}

impl Codecs {
    /// Makes what `stream` needs.
    ///
    /// # Errors
    /// 500 where a codec cannot be had.
    pub fn new(stream: &AudioStream) -> Result<Self, Fault> {
        let decoders = stream.receive.iter().map(|f| decoder(f.format).map(|d| (*f, d)));
        Ok(Codecs {
            decoders: decoders.collect::<Result<_, _>>().map_err(fault)?,
            encoder: new_encoder(stream.send.format)?,
            shared: new_encoder(stream.send.format)?,
        })
    }
}

fn new_encoder(format: AudioFormat) -> Result<Box<dyn AudioEncoder>, Fault> {
    encoder(format, EncoderSettings::default()).map_err(fault)
}

fn fault(error: CodecError) -> Fault {
    Fault::new(Blame::Ourselves, 500, error.to_string())
}
