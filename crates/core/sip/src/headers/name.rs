use std::fmt;

use serde::{Deserialize, Serialize};

use crate::token::is_token;

macro_rules! names {
    ($($variant:ident $text:literal $($compact:literal)?;)*) => {
        /// A header field's name, any case and compact forms understood (RFC 3261 §7.3.1, §7.3.3).
        ///
        /// Two names are equal when they mean the same header.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub enum HeaderName {
            $(#[doc = concat!("`", $text, "`", $(", compact `", $compact, "`")?)]
            $variant,)*
            /// Any other token, as it was written.
            Other(String),
        }

        impl HeaderName {
            const KNOWN: &[(HeaderName, &'static str, Option<&'static str>)] =
                &[$((HeaderName::$variant, $text, names!(@compact $($compact)?)),)*];

            /// The full form.
            pub fn as_str(&self) -> &str {
                match self {
                    $(HeaderName::$variant => $text,)*
                    HeaderName::Other(name) => name,
                }
            }
        }
    };
    (@compact) => { None };
    (@compact $compact:literal) => { Some($compact) };
}

names! {
    Accept "Accept";
    AcceptContact "Accept-Contact" "a";
    AcceptEncoding "Accept-Encoding";
    AcceptLanguage "Accept-Language";
    AlertInfo "Alert-Info";
    Allow "Allow";
    AllowEvents "Allow-Events" "u";
    AuthenticationInfo "Authentication-Info";
    Authorization "Authorization";
    CallId "Call-ID" "i";
    CallInfo "Call-Info";
    Contact "Contact" "m";
    ContentDisposition "Content-Disposition";
    ContentEncoding "Content-Encoding" "e";
    ContentLanguage "Content-Language";
    ContentLength "Content-Length" "l";
    ContentType "Content-Type" "c";
    CSeq "CSeq";
    Date "Date";
    Diversion "Diversion";
    ErrorInfo "Error-Info";
    Event "Event" "o";
    Expires "Expires";
    From "From" "f";
    HistoryInfo "History-Info";
    Identity "Identity" "y";
    InReplyTo "In-Reply-To";
    Join "Join";
    MaxForwards "Max-Forwards";
    MinExpires "Min-Expires";
    MimeVersion "MIME-Version";
    MinSe "Min-SE";
    Organization "Organization";
    PAssertedIdentity "P-Asserted-Identity";
    PPreferredIdentity "P-Preferred-Identity";
    Path "Path";
    Priority "Priority";
    Privacy "Privacy";
    ProxyAuthenticate "Proxy-Authenticate";
    ProxyAuthorization "Proxy-Authorization";
    ProxyRequire "Proxy-Require";
    RAck "RAck";
    Reason "Reason";
    RecordRoute "Record-Route";
    ReferTo "Refer-To" "r";
    ReferredBy "Referred-By" "b";
    RemotePartyId "Remote-Party-ID";
    Replaces "Replaces";
    ReplyTo "Reply-To";
    RequestDisposition "Request-Disposition" "d";
    Require "Require";
    RetryAfter "Retry-After";
    Route "Route";
    RSeq "RSeq";
    Server "Server";
    ServiceRoute "Service-Route";
    SessionExpires "Session-Expires" "x";
    SipEtag "SIP-ETag";
    SipIfMatch "SIP-If-Match";
    Subject "Subject" "s";
    SubscriptionState "Subscription-State";
    Supported "Supported" "k";
    Timestamp "Timestamp";
    To "To" "t";
    Unsupported "Unsupported";
    UserAgent "User-Agent";
    Via "Via" "v";
    Warning "Warning";
    WwwAuthenticate "WWW-Authenticate";
}

impl HeaderName {
    /// `None` when `text` is no token.
    pub fn parse(text: &str) -> Option<HeaderName> {
        let known = match *text.as_bytes() {
            [] => return None,
            [letter] => COMPACT.get(letter_of(letter)).and_then(|at| Self::KNOWN.get(*at)),
            [letter, ..] => {
                Self::starting(letter).iter().find(|(_, full, _)| full.eq_ignore_ascii_case(text))
            }
        };
        match known {
            Some((name, ..)) => Some(name.clone()),
            None => is_token(text).then(|| HeaderName::Other(text.to_owned())),
        }
    }

    /// All whose full form begins with this letter.
    fn starting(letter: u8) -> &'static [(HeaderName, &'static str, Option<&'static str>)] {
        let range = STARTING.get(letter_of(letter)).and_then(|(from, to)| Self::KNOWN.get(*from..*to));
        range.unwrap_or_default()
    }
}

/// From 0 for `a` or `A`; 26 and more for what is no letter.
const fn letter_of(byte: u8) -> usize {
    byte.to_ascii_lowercase().wrapping_sub(b'a') as usize
}

/// Where in [`HeaderName::KNOWN`] the compact form of each letter stands; beyond its end for none.
#[allow(clippy::indexing_slicing, reason = "evaluated when compiled")]
const COMPACT: [usize; 26] = {
    let mut table = [usize::MAX; 26];
    let mut i = 0;
    while i < HeaderName::KNOWN.len() {
        if let Some(compact) = HeaderName::KNOWN[i].2 {
            table[letter_of(compact.as_bytes()[0])] = i;
        }
        i += 1;
    }
    table
};

/// From where to where in [`HeaderName::KNOWN`] the full forms of each letter stand.
#[allow(clippy::indexing_slicing, reason = "evaluated when compiled")]
const STARTING: [(usize, usize); 26] = {
    let mut table = [(0, 0); 26];
    let mut i = 0;
    while i < HeaderName::KNOWN.len() {
        let range = &mut table[letter_of(HeaderName::KNOWN[i].1.as_bytes()[0])];
        if range.1 == 0 {
            range.0 = i;
        }
        assert!(range.1 == 0 || range.1 == i, "those of one letter stand together");
        range.1 = i + 1;
        i += 1;
    }
    table
};

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (HeaderName::Other(a), HeaderName::Other(b)) => a.eq_ignore_ascii_case(b),
            (HeaderName::Other(_), _) | (_, HeaderName::Other(_)) => false,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for HeaderName {}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
