package server

// For tests: this machine has one address of IPv6.
var PeerKey = peerKey
