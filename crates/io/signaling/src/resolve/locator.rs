use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use tandem_sip::locate::{Answer, Query, Search};
use tandem_sip::ua::LookupId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::dispatch::Inbound;
use crate::{Counters, OsEntropy};

use super::DnsConfig;
use super::ask::{ask, resolver};

/// Runs searches, each in a task of its own. Nothing here waits.
pub(crate) struct Locator {
    resolver: Option<Arc<TokioResolver>>,
    timeout: Duration,
    free: Arc<Semaphore>,
    inbound: mpsc::Sender<Inbound>,
    counters: Arc<Counters>,
}

impl Locator {
    /// Where the system has no name servers, numbers are all that can be reached; that is said once.
    pub fn new(config: &DnsConfig, inbound: mpsc::Sender<Inbound>, counters: Arc<Counters>) -> Self {
        let resolver = match resolver(config) {
            Ok(resolver) => Some(Arc::new(resolver)),
            Err(error) => {
                tracing::warn!(%error, "no name server is known: host names cannot be reached");
                None
            }
        };
        let free = Arc::new(Semaphore::new(config.searches));
        Locator { resolver, timeout: config.timeout, free, inbound, counters }
    }

    /// Begins a search; its outcome comes as [`Inbound::Located`]. False when it cannot be begun.
    pub fn begin(&self, lookup: LookupId, search: Search) -> bool {
        let Some(resolver) = self.resolver.clone() else { return false };
        let Ok(permit) = self.free.clone().try_acquire_owned() else {
            Counters::add(&self.counters.searches_refused);
            return false;
        };
        Counters::add(&self.counters.searches);
        let run = Run { resolver, began: Instant::now(), timeout: self.timeout, permit };
        let (inbound, counters) = (self.inbound.clone(), self.counters.clone());
        tokio::spawn(async move {
            let search = run.finish(search).await;
            let domain = search.domain().map(Arc::from);
            let hops = search.hops().unwrap_or_default().to_vec();
            if hops.is_empty() {
                Counters::add(&counters.searches_vain);
            }
            // Nobody listens any more: then nobody cares.
            let _ = inbound.send(Inbound::Located { lookup, domain, hops }).await;
        });
        true
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locator").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// One search under way.
struct Run {
    resolver: Arc<TokioResolver>,
    began: Instant,
    timeout: Duration,
    #[expect(dead_code, reason = "its being dropped gives the place back")]
    permit: OwnedSemaphorePermit,
}

impl Run {
    /// Asks round after round, until all is known or the time is up.
    async fn finish(self, mut search: Search) -> Search {
        let Ok(mut entropy) = OsEntropy::new() else { return search };
        for round in 0_u32.. {
            let queries = search.queries();
            if queries.is_empty() {
                break;
            }
            for (query, answer) in self.round(queries, self.began + share(self.timeout, round)).await {
                search.answer(&query, answer, &mut entropy);
            }
        }
        search
    }

    /// Asks all at once. Whoever does not answer in time has nothing to say.
    async fn round(&self, queries: Vec<Query>, until: Instant) -> Vec<(Query, Answer)> {
        let mut asked = JoinSet::new();
        for query in queries.clone() {
            let resolver = self.resolver.clone();
            asked.spawn(async move {
                let answer = timeout_at(until, ask(&resolver, &query)).await;
                (query, answer.unwrap_or(Answer::Nothing))
            });
        }
        let mut answers = Vec::with_capacity(2 * queries.len());
        while let Some(answer) = asked.join_next().await {
            answers.extend(answer);
        }
        // Should one have been lost, nothing waits for it.
        answers.extend(queries.into_iter().map(|query| (query, Answer::Nothing)));
        answers
    }
}

/// Up to when a round may last: two fifths, three quarters, all of the time.
fn share(timeout: Duration, round: u32) -> Duration {
    match round {
        0 => timeout * 2 / 5,
        1 => timeout * 3 / 4,
        _ => timeout,
    }
}
