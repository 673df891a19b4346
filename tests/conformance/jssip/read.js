// Reads the messages of messages.json with JsSIP's own parser. Prints one line for each that it reads otherwise.
'use strict';

const Parser = require('jssip/lib/Parser');

const differences = (expected, message) => {
  if (!message) {
    return ['cannot be read'];
  }
  const found = [];
  const compare = (what, theirs, ours) => {
    if (JSON.stringify(theirs ?? null) !== JSON.stringify(ours ?? null)) {
      found.push(`${what} is ${JSON.stringify(theirs)}, not ${JSON.stringify(ours)}`);
    }
  };
  const address = (what, theirs, ours) => {
    compare(`${what}'s display name`, theirs.display_name || null, ours.display);
    compare(`${what}'s scheme`, theirs.uri.scheme.toLowerCase(), ours.scheme);
    compare(`${what}'s tag`, theirs.getParam('tag'), ours.tag);
    if (ours.sip) {
      const [user, host, port] = ours.sip;
      compare(`${what}'s user`, theirs.uri.user, user);
      compare(`${what}'s host`, theirs.uri.host, host);
      compare(`${what}'s port`, theirs.uri.port, port);
    }
  };
  compare('start', String(message.method && !message.status_code ? message.method : message.status_code), expected.start);
  compare('Call-ID', message.call_id, expected.callId);
  compare('CSeq', message.cseq, expected.cseq);
  address('From', message.from, expected.from);
  address('To', message.to, expected.to);
  compare('body', message.body || '', expected.body);
  compare('Vias', message.getHeaders('via').length, expected.vias);
  return found;
};

for (const expected of require('./messages.json')) {
  let found;
  try {
    found = differences(expected, Parser.parseMessage(expected.text, {}));
  } catch (error) {
    found = [`throws ${error.message}`];
  }
  if (found.length > 0) {
    console.log(`${expected.name}: ${found.join('; ')}`);
  }
}
