// The map as bytes, one a port, and as pixels. Pure: numbers in, numbers out.
export const SIDE = 256;
export const DOORS = SIDE * SIDE;

const STATE = 7, REACH = 7 << 3, EPHEMERAL = 1 << 6, CHANGED = 1 << 7;
export const STATES = ['closed', 'bound, not open', 'open', 'connections only', 'leaving'];
export const REACHES = ['', 'loopback', 'link-local', 'private', 'public', 'any', 'multicast or broadcast'];
export const CLASSES = [[0, 1023, 'well-known'], [1024, 49151, 'registered'], [49152, 65535, 'dynamic']];

// The colours of theme.css that a door can have: of what is open by its reach, of the rest by its state.
export const COLOURS = ['map-closed', 'map-ephemeral', 'map-bound', 'map-connected', 'map-lingers',
	'map-loopback', 'map-near', 'map-any', 'map-multicast', 'map-line', 'map-cursor', 'map-new', 'map-text'];

export const LEGEND = [
	['map-any', 'open to any address'], ['map-near', 'open to networks nearby'], ['map-loopback', 'open to this host alone'],
	['map-multicast', 'multicast or broadcast'], ['map-connected', 'connections only'], ['map-bound', 'bound, not open'],
	['map-lingers', 'leaving (TIME_WAIT)'], ['map-ephemeral', 'closed, in the ephemeral range'], ['map-closed', 'closed'],
];

export const state = byte => byte & STATE;
export const reach = byte => (byte & REACH) >> 3;
export const isEphemeral = byte => (byte & EPHEMERAL) !== 0;
export const isChanged = byte => (byte & CHANGED) !== 0;
export const portAt = (x, y) => y * SIDE + x;
export const place = port => ({ x: port % SIDE, y: Math.floor(port / SIDE) });

export function colourName(byte) {
	switch (state(byte)) {
	case 0: return isEphemeral(byte) ? 'map-ephemeral' : 'map-closed';
	case 1: return 'map-bound';
	case 3: return 'map-connected';
	case 4: return 'map-lingers';
	}
	return ['map-loopback', 'map-loopback', 'map-near', 'map-near', 'map-any', 'map-any', 'map-multicast'][reach(byte)] ?? 'map-any';
}

// 256 colours, one for each value of a byte, so that drawing is one look for each door.
export function palette(pixels) {
	const colours = new Uint32Array(256);
	for (let byte = 0; byte < 256; byte++)
		colours[byte] = pixels[colourName(byte)];
	return colours;
}

export function paint(bytes, colours, pixels) {
	for (let port = 0; port < DOORS; port++)
		pixels[port] = colours[bytes[port]];
}

export function inWords(port, byte) {
	const [, , name] = CLASSES.find(([first, last]) => port >= first && port <= last);
	const what = state(byte) === 2 || state(byte) === 1 ? [STATES[state(byte)], REACHES[reach(byte)] && `reach ${REACHES[reach(byte)]}`]
		: [STATES[state(byte)] ?? 'unknown'];
	return [...what, name, isEphemeral(byte) && 'ephemeral'].filter(x => x).join(', ');
}

export function countOpen(bytes) {
	let n = 0;
	for (const byte of bytes)
		n += state(byte) === 2;
	return n;
}

// The next door in the direction of @step that is not closed, or none: what the keyboard jumps to.
export function nextOpen(bytes, from, step) {
	for (let port = from + step; port >= 0 && port < DOORS; port += step)
		if (state(bytes[port]) !== 0)
			return port;
	return from;
}
