//! Whatever the DNS says.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("example.com".to_owned()),
        Just(".".to_owned()),
        Just(String::new()),
        "[a-c]\\.example\\.",
        "\\PC{0,40}",
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let service = prop_oneof!["SIPS?\\+D2[UTWSX]", "\\PC{0,12}"];
    let flags = prop_oneof![Just("s".to_owned()), Just("S".to_owned()), "\\PC{0,2}"];
    let naptr = (0_u16..4, any::<u16>(), flags, service, name()).prop_map(
        |(order, preference, flags, service, replacement)| Naptr {
            order,
            preference,
            flags,
            service,
            replacement,
        },
    );
    let srv = (0_u16..4, any::<u16>(), any::<u16>(), name())
        .prop_map(|(priority, weight, port, target)| Srv { priority, weight, port, target });
    prop_oneof![
        prop::collection::vec(naptr, 0..200).prop_map(Answer::Naptr),
        prop::collection::vec(srv, 0..200).prop_map(Answer::Srv),
        prop::collection::vec(any::<IpAddr>(), 0..200).prop_map(Answer::Addresses),
        Just(Answer::Nothing),
    ]
}

proptest! {
    #[test]
    fn no_answer_makes_a_search_panic_or_go_on_for_ever(
        uri in prop_oneof![
            Just("sip:example.com"), Just("sips:example.com"), Just("sip:example.com;transport=tcp"),
            Just("sip:example.com:5070"), Just("sip:192.0.2.1"), Just("sip:x.invalid")
        ],
        answers in prop::collection::vec(answer(), 1..8),
        stray in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let destination = Destination::of_uri(&Uri::parse(uri).unwrap()).unwrap();
        let mut search = Search::new(destination, all());
        let mut entropy = Seeded::new(seed);
        let mut answers = answers.iter().cycle();
        let mut asked = 0;
        for round in 0.. {
            prop_assert!(round <= 3);
            let queries = search.queries();
            if queries.is_empty() {
                break;
            }
            asked += queries.len();
            for query in queries {
                if stray {
                    let other = Query { record: query.record, name: format!("{}x", query.name) };
                    search.answer(&other, Answer::Nothing, &mut entropy);
                }
                search.answer(&query, answers.next().unwrap().clone(), &mut entropy);
            }
        }
        // A question cannot be made to lead to many others.
        prop_assert!(asked <= 1 + 4 + 16, "{asked}");
        let hops = search.hops().unwrap();
        prop_assert!(hops.len() <= MOST_HOPS);
        for (i, hop) in hops.iter().enumerate() {
            prop_assert!(hop.remote.port() != 0 && !hop.remote.ip().is_multicast());
            prop_assert!(!hops[..i].contains(hop), "twice: {hop:?}");
        }
    }
}
