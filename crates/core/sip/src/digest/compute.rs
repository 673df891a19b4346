//! The response value (RFC 7616 §3.4.1 to §3.4.3).

use super::algorithm::Output;
use super::{Algorithm, Counted, Ha1};
use crate::Method;

/// What goes into it besides the secret.
pub(super) struct Inputs<'a> {
    pub algorithm: Algorithm,
    pub nonce: &'a str,
    /// For `qop=auth` and `qop=auth-int`.
    pub counted: Option<&'a Counted>,
    /// For `-sess`; that of `counted` where it is there.
    pub cnonce: &'a str,
    pub method: &'a Method,
    pub uri: &'a str,
    /// For `qop=auth-int`.
    pub body: Option<&'a [u8]>,
}

pub(super) fn response(ha1: &Ha1, inputs: &Inputs<'_>) -> Output {
    let hash = inputs.algorithm.hash;
    let mut key = ha1.to_hex();
    if inputs.algorithm.session {
        key = hash.hex(&hash.of(&[&key, inputs.nonce, inputs.cnonce]));
    }
    let (method, uri) = (inputs.method.as_str(), inputs.uri);
    // RFC 7616 §3.4.3.
    let (qop, ha2) = match inputs.body {
        Some(body) => ("auth-int", hash.of(&[method, uri, &hash.hex(&hash.of_bytes(body))])),
        None => ("auth", hash.of(&[method, uri])),
    };
    let ha2 = hash.hex(&ha2);
    match inputs.counted {
        Some(Counted { cnonce, nc }) => {
            hash.of(&[&key, inputs.nonce, &format!("{nc:08x}"), cnonce, qop, &ha2])
        }
        // RFC 2617 §3.2.2.1.
        None => hash.of(&[&key, inputs.nonce, &ha2]),
    }
}
