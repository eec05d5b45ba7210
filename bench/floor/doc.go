// Command floor is what a sweep of a link costs at least when nothing is left out: every address asked for by ARP twice, at a
// thousand a second; every port of those that answered tried; one ONVIF call and one RTSP request where they belong. It knows
// no hours, no pace per device, no second opinion and no evidence: it is a measure, not a tool.
package main
