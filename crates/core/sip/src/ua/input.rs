use bytes::Bytes;

use crate::ParseError;
use crate::locate::Search;

use super::{Command, Event, Flow, Target};

/// What can happen to a user agent.
#[derive(Clone, Debug)]
pub enum Input {
    /// One whole message came: a datagram, or what a [`crate::StreamFramer`] cut out of a stream.
    Received {
        /// How.
        flow: Flow,
        /// The message; more than 64 KiB is refused.
        bytes: Bytes,
    },
    /// A [`crate::StreamFramer`] gave up: the peer is answered where that can be done, and the connection closed.
    Unframed {
        /// The connection.
        flow: Flow,
        /// What the framer said.
        error: ParseError,
    },
    /// A connection is gone, or could not be written to.
    FlowClosed(Flow),
    /// Nothing can be sent there: no connection came about, or the network said so.
    SendFailed(Target),
    /// What became of an [`Output::Locate`].
    Located {
        /// Which.
        lookup: LookupId,
        /// Where to try, the best first; empty when there is nothing.
        targets: Vec<Target>,
    },
    /// The application wants something.
    Command(Command),
    /// The deadline has come. Harmless at any other time; every other input does the same work too.
    Tick,
}

/// A search for a server; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId(pub u64);

/// What a user agent wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send this message.
    Send {
        /// Where to.
        target: Target,
        /// The whole message.
        bytes: Bytes,
    },
    /// Ask the DNS what this search wants to know, and give its hops back by [`Input::Located`]. Where that is not
    /// done within five seconds, nothing is taken to be found.
    Locate {
        /// To answer it by.
        lookup: LookupId,
        /// Not begun; done already where the host is an address.
        search: Box<Search>,
    },
    /// Tell the application.
    Event(Event),
    /// Close this connection: what came over it cannot be SIP.
    CloseFlow(Flow),
}
