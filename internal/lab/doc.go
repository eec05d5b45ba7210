// Package lab is a simulated shop: cameras, a recorder and a few things that are no cameras, on real sockets of the loopback
// interface, speaking WS-Discovery, mDNS, HTTP, ONVIF and RTSP. The demonstration audits it and tests are held against it.
//
// It implements the devices' side by itself and shares no code with the program's clients, so that a mistake on one side
// does not agree with the same mistake on the other. What belongs here: what a device would answer, and the ledger of what
// it was asked. What does not: anything a client does, judgement, law.
//
// Makers, models, serial numbers and addresses are invented; where a device imitates what a real maker's firmware sends, its
// maker is called "…-like".
package lab
