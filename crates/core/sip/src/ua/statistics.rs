/// What a user agent counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages received, good and bad.
    pub received: u64,
    /// Of these: could not be read, but were answered.
    pub malformed: u64,
    /// Of these: neither read nor answered.
    pub dropped: u64,
    /// Of these: retransmissions of requests, absorbed.
    pub retransmissions: u64,
    /// Of these: ACKs and responses that belong to nothing.
    pub strays: u64,
    /// Requests that the user agent refused by itself.
    pub refused: u64,
    /// Requests refused with 503 because a limit was reached.
    pub overload: u64,
    /// Calls from outside given to the application.
    pub incoming: u64,
    /// Calls made for the application.
    pub outgoing: u64,
    /// Requests tried with another server after one had failed (RFC 3263 §4.3).
    pub fail_overs: u64,
    /// Commands that came too late or did not fit.
    pub ignored_commands: u64,
}
