use std::net::{IpAddr, SocketAddr};

/// A SIP message, taken apart no further than a test needs.
#[derive(Clone, Debug)]
pub struct Message {
    /// Request line or status line.
    pub start: String,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Message {
    /// `None` where there is no empty line.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let start = lines.next()?.to_owned();
        let header = |line: &str| {
            line.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        };
        Some(Message { start, headers: lines.filter_map(header).collect(), body: body.to_owned() })
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&str> {
        if self.status().is_some() { None } else { self.start.split(' ').next() }
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every value of this header, several in a line or not.
    pub fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &str> {
        let headers = self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name));
        headers.flat_map(|(_, value)| value.split(',')).map(str::trim)
    }

    /// The URI in Contact.
    pub fn contact(&self) -> Option<String> {
        let contact = self.header("Contact")?;
        let uri = contact.split_once('<').map_or(contact, |(_, rest)| rest);
        Some(uri.split(['>', ' ']).next()?.to_owned())
    }

    /// Where the SDP wants RTP of its first stream.
    ///
    /// # Panics
    /// When it has none.
    pub fn rtp_address(&self) -> SocketAddr {
        let family = if self.body.contains("c=IN IP6") { "c=IN IP6 " } else { "c=IN IP4 " };
        let ip: IpAddr = self.sdp_value(family).parse().unwrap();
        SocketAddr::new(ip, self.sdp_value("m=audio ").parse().unwrap())
    }

    /// The payload types of the first audio stream.
    pub fn payload_types(&self) -> Vec<u8> {
        let line = self.body.lines().find(|l| l.starts_with("m=audio ")).unwrap_or_default();
        line.split_whitespace().skip(3).filter_map(|pt| pt.parse().ok()).collect()
    }

    fn sdp_value(&self, prefix: &str) -> String {
        let line = self.body.lines().find_map(|line| line.strip_prefix(prefix));
        line.and_then(|l| l.split_whitespace().next())
            .unwrap_or_else(|| panic!("no {prefix} in {}", self.body))
            .to_owned()
    }

    /// The direction that the SDP states.
    pub fn direction(&self) -> Option<&str> {
        let attributes = self.body.lines().filter_map(|line| line.strip_prefix("a="));
        attributes.map(str::trim).find(|a| ["sendrecv", "sendonly", "recvonly", "inactive"].contains(a))
    }

    /// The 200 to a request without a body.
    pub(super) fn ok(&self) -> String {
        self.success() + "Content-Length: 0\r\n\r\n"
    }

    /// The 200 to an INVITE.
    pub(super) fn ok_with(&self, contact: &str, sdp: &str) -> String {
        let head = self.success() + &format!("Contact: <{contact}>\r\nContent-Type: application/sdp\r\n");
        head + &format!("Content-Length: {}\r\n\r\n{sdp}", sdp.len())
    }

    fn success(&self) -> String {
        let mut out = "SIP/2.0 200 OK\r\n".to_owned();
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            for (_, value) in self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)) {
                out += &format!("{name}: {value}\r\n");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read() {
        let text = "SIP/2.0 200 OK\r\nContact: <sip:a@127.0.0.1:5>\r\ncall-id: x\r\n\r\nv=0\r\nc=IN IP4 127.1.2.3\r\nm=audio 4000 RTP/AVP 0 101\r\n";
        let message = Message::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (message.status(), message.method(), message.header("Call-ID")),
            (Some(200), None, Some("x"))
        );
        assert_eq!(message.contact().as_deref(), Some("sip:a@127.0.0.1:5"));
        assert_eq!(message.rtp_address(), "127.1.2.3:4000".parse().unwrap());
        assert_eq!(message.payload_types(), [0, 101]);
    }
}
