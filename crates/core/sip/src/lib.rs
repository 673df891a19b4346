//! Sans-IO SIP: messages, transactions, dialogs, the user agent.
//!
//! [`Message::parse`] reads a datagram, [`StreamFramer`] cuts a stream; both bound what they take from the network.

#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod headers;
mod limits;
mod message;
mod stream;
mod token;
mod uri;

pub use headers::{
    CSeq, Header, HeaderError, HeaderName, HeaderProblem, Headers, MediaType, NameAddr, Param, Params,
    Reason, Rport, Transport, Via,
};
pub use limits::{MAX_HEADER_LINE, MAX_HEADERS, MAX_MESSAGE, MAX_PARAMS, MAX_SESSION_DESCRIPTION};
pub use message::{Message, Method, ParseError, Problem, Request, Response, StatusCode};
pub use stream::{Frame, StreamFramer};
pub use uri::{Host, OtherUri, SipUri, TelUri, Uri, UriError, escape_user, unescape};

pub mod dialog;
pub mod digest;
pub mod locate;
pub mod transaction;
pub mod ua;
