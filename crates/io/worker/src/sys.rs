//! The kernel's calls behind safe types; the only unsafe code of this crate.
#![allow(unsafe_code)]

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use tandem_base::Time;
use tandem_rtp::WallClock;

/// Longest datagram that is taken whole; more than an Ethernet frame carries.
const DATAGRAM: usize = 2_048;

/// Room for the control messages that carry a timestamp and a destination, with their padding, in 8-byte units.
const CONTROL: usize = 8;

/// Sockets reported readable by one look at an epoll set.
const READY: usize = 1_024;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn owned(result: libc::c_int) -> io::Result<OwnedFd> {
    let fd = check(result)?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The program's time: CLOCK_MONOTONIC from an origin that all threads share.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: u64,
}

fn clock_nanos(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to write to.
    unsafe { libc::clock_gettime(clock, &mut now) };
    timespec_nanos(now)
}

fn timespec_nanos(t: libc::timespec) -> u64 {
    u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0)
}

/// Nanoseconds of wall-clock time since 1970.
pub fn wall_nanos() -> u64 {
    clock_nanos(libc::CLOCK_REALTIME)
}

impl Clock {
    /// A clock that begins now.
    pub fn new() -> Self {
        Clock { origin: clock_nanos(libc::CLOCK_MONOTONIC) }
    }

    /// The time now.
    pub fn now(self) -> Time {
        Time::from_nanos(clock_nanos(libc::CLOCK_MONOTONIC).saturating_sub(self.origin))
    }

    /// Sleeps until `deadline`; returns at once when it has passed. A signal does not end it.
    pub fn sleep_until(self, deadline: Time) {
        let at = self.origin.saturating_add(deadline.as_nanos());
        let at = libc::timespec {
            tv_sec: libc::time_t::try_from(at / 1_000_000_000).unwrap_or(libc::time_t::MAX),
            tv_nsec: (at % 1_000_000_000).try_into().unwrap_or(0),
        };
        // SAFETY: `at` is a valid timespec; an absolute sleep writes no remainder.
        while unsafe {
            libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &at, ptr::null_mut())
        } == libc::EINTR
        {}
    }
}

/// Puts the calling thread under SCHED_FIFO at the lowest priority; false where that is not allowed.
pub fn request_realtime() -> bool {
    let parameters = libc::sched_param { sched_priority: 1 };
    // SAFETY: pid 0 is the calling thread, `parameters` is valid.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &parameters) == 0 }
}

/// Wakes a thread that has nothing to do (eventfd).
#[derive(Debug)]
pub struct Wake(OwnedFd);

impl Wake {
    /// A fresh one, not signalled.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) }).map(Wake)
    }

    /// Ends the present or the next [`Wake::wait`].
    pub fn signal(&self) {
        let one = 1u64;
        // SAFETY: eight readable bytes. It fails only where the counter is full, and then it is signalled anyway.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), 8) };
    }

    /// Blocks until signalled, and takes the signal.
    pub fn wait(&self) {
        let mut count = 0u64;
        // SAFETY: eight writable bytes.
        while unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), 8) } < 0 {
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return;
            }
        }
    }
}

/// A set of sockets that are looked at together.
#[derive(Debug)]
pub struct Readable {
    epoll: OwnedFd,
    events: Vec<libc::epoll_event>,
    found: usize,
}

impl Readable {
    /// An empty set.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        Ok(Readable { epoll, events: vec![libc::epoll_event { events: 0, u64: 0 }; READY], found: 0 })
    }

    /// Adds a socket, which is reported as `token`. Closing it takes it out.
    pub fn add(&self, socket: &impl AsFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        let (set, fd) = (self.epoll.as_raw_fd(), socket.as_fd().as_raw_fd());
        // SAFETY: both descriptors are open, `event` is valid.
        check(unsafe { libc::epoll_ctl(set, libc::EPOLL_CTL_ADD, fd, &mut event) }).map(drop)
    }

    /// Takes a socket out.
    pub fn remove(&self, socket: &impl AsFd) -> io::Result<()> {
        let (set, fd) = (self.epoll.as_raw_fd(), socket.as_fd().as_raw_fd());
        // SAFETY: both descriptors are open; the event is ignored for this operation.
        check(unsafe { libc::epoll_ctl(set, libc::EPOLL_CTL_DEL, fd, ptr::null_mut()) }).map(drop)
    }

    /// Looks which sockets are readable, without waiting; up to [`READY`] of them. The kernel reports in turn, so
    /// that the rest comes first next time.
    pub fn look(&mut self) -> bool {
        let most = libc::c_int::try_from(self.events.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: `events` has room for `most` entries.
        let n = unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), self.events.as_mut_ptr(), most, 0) };
        self.found = usize::try_from(n).unwrap_or(0);
        self.found == self.events.len()
    }

    /// What the last look found: token `index`, or `None` at the end.
    pub fn token(&self, index: usize) -> Option<u64> {
        self.events.get(..self.found)?.get(index).map(|e| e.u64)
    }
}

/// Lets the kernel note when each packet came (SO_TIMESTAMPNS).
pub fn enable_timestamps(socket: &impl AsFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    let size = mem::size_of_val(&on) as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `on` is readable for `size` bytes.
    check(unsafe {
        libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, (&raw const on).cast(), size)
    })
    .map(drop)
}

/// Lets the kernel tell to which of our addresses each packet was sent (IP_PKTINFO).
pub fn enable_destinations(socket: &impl AsFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    let size = mem::size_of_val(&on) as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `on` is readable for `size` bytes.
    check(unsafe { libc::setsockopt(fd, libc::SOL_IP, libc::IP_PKTINFO, (&raw const on).cast(), size) })
        .map(drop)
}

/// Undoes `connect`: the socket takes datagrams from everybody again.
pub fn disconnect(socket: &impl AsFd) -> io::Result<()> {
    let nowhere = libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    let size = mem::size_of_val(&nowhere) as libc::socklen_t;
    // SAFETY: `nowhere` is readable for `size` bytes.
    check(unsafe { libc::connect(socket.as_fd().as_raw_fd(), &raw const nowhere, size) }).map(drop)
}

/// One received datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Its sender; `None` for a family that is not ours.
    pub from: Option<SocketAddr>,
    /// Which of our addresses it was sent to, where the kernel was asked to tell.
    pub to: Option<IpAddr>,
    /// When the kernel got it, as nanoseconds since 1970.
    pub stamp: Option<u64>,
    /// Its octets; `None` when it was longer than any that we take.
    pub bytes: Option<&'a [u8]>,
}

/// Buffers for one datagram, used over and over.
///
/// One at a time: a socket holds one when it is looked at, and `recvmmsg` would look for a second.
pub struct Intake {
    name: libc::sockaddr_storage,
    control: [u64; CONTROL],
    data: Box<[u8; DATAGRAM]>,
}

impl Intake {
    /// Empty.
    pub fn new() -> Self {
        // SAFETY: all-zero is a valid sockaddr_storage.
        let name = unsafe { mem::zeroed() };
        Intake { name, control: [0; CONTROL], data: Box::new([0; DATAGRAM]) }
    }

    /// Takes the next datagram that a socket holds; `None` where it holds none.
    pub fn receive(&mut self, socket: &impl AsFd) -> Option<Datagram<'_>> {
        let mut vector = libc::iovec { iov_base: self.data.as_mut_ptr().cast(), iov_len: DATAGRAM };
        // SAFETY: all-zero is a valid msghdr; the pointers are set below.
        let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.msg_name = (&raw mut self.name).cast();
        header.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_iov = &raw mut vector;
        header.msg_iovlen = 1;
        header.msg_control = self.control.as_mut_ptr().cast();
        header.msg_controllen = CONTROL * 8;
        let fd = socket.as_fd().as_raw_fd();
        let mut received = receive_message(fd, &mut header);
        if received.is_err_and(|e| e == libc::ECONNREFUSED) {
            // Not about a datagram that came but about one that we sent; what came lies behind it.
            received = receive_message(fd, &mut header);
        }
        let len = received.ok()?;
        let whole = header.msg_flags & libc::MSG_TRUNC == 0;
        let (stamp, to) = notes(&header);
        let bytes = self.data.get(..len).filter(|_| whole);
        Some(Datagram { from: address(&self.name), to, stamp, bytes })
    }
}

/// How long the datagram is, or the error's number.
fn receive_message(fd: libc::c_int, header: &mut libc::msghdr) -> Result<usize, libc::c_int> {
    // SAFETY: the caller's header points to live buffers of the lengths that it tells.
    let received = unsafe { libc::recvmsg(fd, header, libc::MSG_DONTWAIT) };
    usize::try_from(received).map_err(|_| io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

/// What the kernel notes of the message of `header`, as it left `recvmsg`: when it came, and to which of our addresses.
fn notes(header: &libc::msghdr) -> (Option<u64>, Option<IpAddr>) {
    let (mut stamp, mut to) = (None, None);
    // SAFETY: the kernel set msg_controllen to what it wrote into the buffer, which is aligned for a cmsghdr.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: it is null or points to a whole cmsghdr within the buffer.
    while let Some(message) = unsafe { next.as_ref() } {
        // SAFETY: `message` is one of the header's.
        let data = unsafe { libc::CMSG_DATA(message) };
        match (message.cmsg_level, message.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                // SAFETY: a message of this type carries a timespec; read unaligned, it is copied out.
                stamp = Some(timespec_nanos(unsafe { ptr::read_unaligned(data.cast::<libc::timespec>()) }));
            }
            (libc::SOL_IP, libc::IP_PKTINFO) => {
                // SAFETY: likewise an in_pktinfo.
                let info = unsafe { ptr::read_unaligned(data.cast::<libc::in_pktinfo>()) };
                to = Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into());
            }
            _ => {}
        }
        // SAFETY: `message` is one of the header's.
        next = unsafe { libc::CMSG_NXTHDR(header, message) };
    }
    (stamp, to)
}

fn address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match libc::c_int::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that a sockaddr_in stands here; the storage is larger and aligned for it.
            let v4 = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above, with sockaddr_in6.
            let v6 = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), 0, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// Maps the kernel's wall-clock stamps to [`Time`] by the offset of the two clocks just now.
#[derive(Clone, Copy, Debug)]
pub struct StampOffset {
    now: Time,
    wall: u64,
}

/// A stamp further back than this is a clock that was set, not a packet that waited.
const OLDEST: Duration = Duration::from_millis(500);

impl StampOffset {
    /// Reads both clocks.
    pub fn measure(clock: Clock) -> Self {
        StampOffset { now: clock.now(), wall: wall_nanos() }
    }

    /// When it was measured.
    pub fn now(self) -> Time {
        self.now
    }

    /// The same for RTCP.
    pub fn wall_clock(self) -> WallClock {
        WallClock(Duration::from_nanos(self.wall.saturating_sub(self.now.as_nanos())))
    }

    /// When a packet came: never after now, and now where the stamp is missing or absurd.
    pub fn time(self, stamp: Option<u64>) -> Time {
        let age = stamp.and_then(|s| self.wall.checked_sub(s)).map(Duration::from_nanos);
        self.now - age.filter(|a| *a <= OLDEST).unwrap_or_default()
    }
}
