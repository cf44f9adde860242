// Times and amounts as a person reads them.
export function clock(seconds, { isShort = false } = {}) {
	return new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: isShort ? undefined : '2-digit', hourCycle: 'h23' });
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
