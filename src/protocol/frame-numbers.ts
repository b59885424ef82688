/**
 * Owns the first element of each frame. Constants of their own, so that a client carries numbers and not
 * their names. Refuses to know what follows it.
 */

// Clients send numbers below 16.
export const hello = 1;
export const publish = 2;
export const direct = 3;
export const ack = 4;
export const presence = 5;
export const leave = 6;
export const refresh = 7;

// Servers send the rest.
export const welcome = 16;
export const deliver = 17;
export const mail = 18;
export const published = 19;
export const error = 20;
export const presenceDiff = 21;
export const gap = 22;
export const end = 23;
export const latest = 24;
export const renewed = 25;
