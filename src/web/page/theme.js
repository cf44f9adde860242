// Light, dark, or what the system says; and the colours as numbers, for what is drawn on a canvas.
const KEY = 'doorward-theme';
export const THEMES = ['auto', 'light', 'dark'];

export function theme() {
	const kept = localStorage.getItem(KEY);
	return THEMES.includes(kept) ? kept : 'auto';
}

export function setTheme(name) {
	localStorage.setItem(KEY, name);
	applyTheme();
}

export function applyTheme() {
	const root = document.documentElement;
	if (theme() === 'auto')
		delete root.dataset.theme;
	else
		root.dataset.theme = theme();
	dispatchEvent(new Event('doorward-theme'));
}

// Calls back when the colours are others: by the switch, or by the system.
export function onTheme(tell) {
	const system = matchMedia('(prefers-color-scheme: dark)');
	addEventListener('doorward-theme', tell);
	system.addEventListener('change', tell);
	return () => {
		removeEventListener('doorward-theme', tell);
		system.removeEventListener('change', tell);
	};
}

// The colours of theme.css by name, as `rgb(r, g, b)`: a property alone would say light-dark(...).
export function colours(names) {
	const probe = document.createElement('span');
	probe.hidden = true;
	document.body.append(probe);
	const found = {};
	for (const name of names) {
		probe.style.color = `var(--${name})`;
		found[name] = getComputedStyle(probe).color;
	}
	probe.remove();
	return found;
}

// `rgb(r, g, b)` as ImageData has a pixel on a little-endian machine.
export function pixel(colour) {
	const [r, g, b] = colour.match(/[\d.]+/g).map(Number);
	return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
}
