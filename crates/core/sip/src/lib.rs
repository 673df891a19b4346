//! Sans-IO SIP: messages, transactions, dialogs, the user agent.
