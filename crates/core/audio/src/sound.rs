//! What is done to one leg's sound beyond mixing it: gains, automatic gain, echo.

mod agc;
mod echo;
mod fader;

pub use agc::AutomaticGain;
pub use echo::EchoSuppressor;
pub use fader::Fader;

#[cfg(test)]
mod tests;
