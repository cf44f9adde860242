// Times and amounts as a person reads them.
export function clock(seconds, { isShort = false } = {}) {
	return new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: isShort ? undefined : '2-digit', hourCycle: 'h23' });
}

// Of RFC 3339: the local time of day, to the millisecond.
export function clockOf(text) {
	const at = new Date(text.replace(/(\.\d{3})\d+/, '$1'));
	return `${clock(at / 1000)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

export function since(then, now) {
	const seconds = Math.max(0, now - then);
	for (const [size, word] of [[86400, 'd'], [3600, 'h'], [60, 'min']])
		if (seconds >= size)
			return `${Math.floor(seconds / size)} ${word}`;
	return `${Math.floor(seconds)} s`;
}

export function amount(value) {
	if (value === null || value === undefined)
		return '–';
	for (const [size, unit] of [[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']])
		if (value >= size)
			return `${(value / size).toFixed(1)} ${unit}`;
	return `${Math.round(value)} B`;
}
