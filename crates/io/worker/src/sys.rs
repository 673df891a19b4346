//! The kernel's calls behind safe types; the only unsafe code of this crate.
#![allow(unsafe_code)]

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use tandem_base::Time;
use tandem_rtp::WallClock;

/// Datagrams taken from one socket in one call, and so in one tick: a flood costs bounded time.
pub const BATCH: usize = 64;

/// Longest datagram that is taken whole; more than an Ethernet frame carries.
const DATAGRAM: usize = 2_048;

/// Room for the control message that carries a timestamp, with its padding, in 8-byte units.
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

/// One received datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Its sender; `None` for a family that is not ours.
    pub from: Option<SocketAddr>,
    /// When the kernel got it, as nanoseconds since 1970.
    pub stamp: Option<u64>,
    /// Its octets; `None` when it was longer than any that we take.
    pub bytes: Option<&'a [u8]>,
}

/// Buffers for [`BATCH`] datagrams, used over and over.
pub struct Batch {
    headers: Vec<libc::mmsghdr>,
    names: Vec<libc::sockaddr_storage>,
    controls: Vec<[u64; CONTROL]>,
    data: Vec<[u8; DATAGRAM]>,
    // What `headers` point to besides the above; never read by us.
    _vectors: Vec<libc::iovec>,
}

impl Batch {
    /// All buffers, allocated once. They never move: `headers` point to them.
    pub fn new() -> Self {
        let mut data = vec![[0u8; DATAGRAM]; BATCH];
        // SAFETY: all-zero is a valid sockaddr_storage.
        let mut names: Vec<libc::sockaddr_storage> = vec![unsafe { mem::zeroed() }; BATCH];
        let mut controls = vec![[0u64; CONTROL]; BATCH];
        let mut vectors: Vec<libc::iovec> = data
            .iter_mut()
            .map(|d| libc::iovec { iov_base: d.as_mut_ptr().cast(), iov_len: DATAGRAM })
            .collect();
        let headers = (0..BATCH)
            .map(|i| {
                // SAFETY: all-zero is a valid mmsghdr; the pointers are set below.
                let mut header: libc::mmsghdr = unsafe { MaybeUninit::zeroed().assume_init() };
                header.msg_hdr.msg_name = (&raw mut names[i]).cast();
                header.msg_hdr.msg_iov = &raw mut vectors[i];
                header.msg_hdr.msg_iovlen = 1;
                header.msg_hdr.msg_control = controls[i].as_mut_ptr().cast();
                header
            })
            .collect();
        let mut batch = Batch { headers, names, controls, data, _vectors: vectors };
        batch.prepare(BATCH);
        batch
    }

    /// The kernel writes lengths into the headers: set them back in those that it used.
    fn prepare(&mut self, used: usize) {
        for header in self.headers.iter_mut().take(used) {
            header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_hdr.msg_controllen = CONTROL * 8;
            header.msg_hdr.msg_flags = 0;
        }
    }

    /// Takes what a socket holds, up to [`BATCH`] datagrams; how many came.
    pub fn receive(&mut self, socket: &impl AsFd) -> usize {
        let fd = socket.as_fd().as_raw_fd();
        // SAFETY: every header points to live buffers of the lengths that it tells; no timeout is given.
        let n = unsafe {
            libc::recvmmsg(
                fd,
                self.headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        usize::try_from(n).unwrap_or(0)
    }

    /// Datagram `index` of the last [`Batch::receive`], whose result bounds it; `None` beyond [`BATCH`].
    pub fn datagram(&self, index: usize) -> Option<Datagram<'_>> {
        let header = self.headers.get(index)?;
        let whole = header.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
        let bytes = self.data.get(index)?.get(..header.msg_len as usize).filter(|_| whole);
        Some(Datagram { from: address(self.names.get(index)?), stamp: self.stamp(index), bytes })
    }

    /// Makes the first `used` buffers ready for the next [`Batch::receive`].
    pub fn recycle(&mut self, used: usize) {
        self.prepare(used);
    }

    fn stamp(&self, index: usize) -> Option<u64> {
        let header = &self.headers.get(index)?.msg_hdr;
        // SAFETY: the kernel set msg_controllen to what it wrote into `controls[index]`, which is aligned for a cmsghdr.
        let message = unsafe { libc::CMSG_FIRSTHDR(header).as_ref() }?;
        if (message.cmsg_level, message.cmsg_type) != (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) {
            return None;
        }
        // SAFETY: a message of this type carries a timespec; read unaligned, it is copied out.
        let at = unsafe { ptr::read_unaligned(libc::CMSG_DATA(message).cast::<libc::timespec>()) };
        debug_assert!(self.controls.len() == BATCH);
        Some(timespec_nanos(at))
    }
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
