// The walk through time: a moment of the record in place of now, which the view's link has too.
import { html, useCallback, useEffect, useRef, useState } from './html.js';
import { askJson, query } from './api.js';
import { since } from './text.js';

export const NOT_THEN = 'what was cannot be changed: go back to now first';
const STALE_MS = 10000;

// Milliseconds since 1970 of what the link says; 0: now.
function momentOf(view) {
	const at = view.at ? Date.parse(view.at) : NaN;
	return Number.isFinite(at) && at > 0 ? Math.floor(at) : 0;
}

const linkOf = moment => (moment ? new Date(moment).toISOString() : '');

// To the millisecond, for steps go from change to change.
export function dated(moment) {
	return new Date(moment).toLocaleString([], {
		year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
		fractionalSecondDigits: 3, hourCycle: 'h23',
	});
}

// What <input type=datetime-local> takes: local time, without a zone.
function localText(moment) {
	return linkOf(moment - new Date(moment).getTimezoneOffset() * 60000).slice(0, 19);
}

// From when to when there is a record, and how the view goes to a moment of it. @tell: why it does not.
export function usePast(view, setView, isAllowed, tell) {
	const moment = momentOf(view);
	const [span, setSpan] = useState(null);
	const [isOpen, setOpen] = useState(moment > 0);
	const asked = useRef(0);
	const walking = useRef(null);   /* how far, while the record is asked for a step */
	const isShown = isOpen || moment > 0;

	const ask = useCallback(() => {
		asked.current = Date.now();
		return askJson('past').then(setSpan, error => setSpan({ recorded: false, error }));
	}, []);
	useEffect(() => {
		if (isAllowed && isShown)
			ask();
	}, [isAllowed, isShown]);

	const show = to => setView({ at: linkOf(to) });
	const go = to => {
		walking.current = null;
		show(to);
	};
	// From a moment (0: now) to the change before or behind it; null: there is none, and that is told.
	const step = async (at, by) => {
		const told = await askJson('past?' + query({ step: by < 0 ? 'earlier' : 'later', moment: at }));
		if (told.moment || by > 0 && told.recorded !== false)
			return told.moment ?? 0;
		tell(told.why ?? told.error?.what ?? 'nothing is recorded');
		return null;
	};
	// Steps that come while one is asked for are taken behind it, but where another way to go is chosen meanwhile.
	const walk = async by => {
		setOpen(true);
		if (Date.now() - asked.current > STALE_MS)
			ask();
		if (walking.current) {
			walking.current.steps += by;
			return;
		}
		const walks = { steps: by }, isMeant = () => walking.current === walks;
		walking.current = walks;
		try {
			for (let at = moment; at !== null && walks.steps && (at || walks.steps < 0); walks.steps -= Math.sign(walks.steps)) {
				at = await step(at, walks.steps);
				if (!isMeant())
					return;
				if (at !== null)
					show(at);
			}
		} catch (error) {
			tell(error.what || error.message);
		}
		if (isMeant())
			walking.current = null;
	};
	return { moment, span, isShown, go, walk, open: () => setOpen(true), close: () => {
		setOpen(false);
		go(0);
	} };
}

// Where nobody recorded, as parts of the slider's length.
function Gaps({ span, oldest, newest }) {
	const part = at => Math.max(0, Math.min(100, (at - oldest) / (newest - oldest) * 100));
	return html`<div class="gaps" aria-hidden="true">${(span.gaps ?? []).map((gap, g) => {
		const from = part(gap.from * 1000), to = part((gap.to ?? span.newest) * 1000);
		return html`<i key=${g} title=${gap.why ?? ''} style=${{ left: `${from}%`, width: `max(2px, ${to - from}%)` }}></i>`;
	})}</div>`;
}

export function PastBar({ past }) {
	const { moment, span, go, walk } = past;
	const close = html`<button type="button" class=${moment ? 'primary' : ''} onClick=${past.close}>${moment ? 'Back to now' : 'Close'}</button>`;
	if (!span)
		return html`<section class="past-bar" aria-label="the past"><p class="dim">asking what is recorded…</p>${close}</section>`;
	if (!span.recorded)
		return html`<section class="past-bar" aria-label="the past">
			<p class="warn" role="alert">${span.error?.what || 'nothing is recorded'}${span.error?.hint ? html` <em>${span.error.hint}</em>` : null}</p>${close}</section>`;
	const oldest = Math.floor(span.oldest * 1000), newest = Math.max(oldest + 1000, Math.ceil(span.newest * 1000));
	const at = moment ? Math.max(oldest, Math.min(newest, moment)) : newest;
	return html`<section class="past-bar" aria-label="the past">
		<button type="button" class="quiet" aria-label="earlier" title="the change before (<)" onClick=${() => walk(-1)}>‹</button>
		<div class="track">
			<${Gaps} span=${span} oldest=${oldest} newest=${newest} />
			<input type="range" id="moment" min=${oldest} max=${newest} step="1000" value=${at} aria-label="moment of the record"
				aria-valuetext=${moment ? dated(moment) : 'now'} onInput=${event => go(Number(event.target.value))} />
		</div>
		<button type="button" class="quiet" aria-label="later" title="the change behind (>)" disabled=${!moment} onClick=${() => walk(1)}>›</button>
		<input type="datetime-local" aria-label="date and time" step="1" value=${localText(at)} min=${localText(oldest)} max=${localText(newest)}
			onChange=${event => event.target.value && go(Date.parse(event.target.value))} />
		${close}
		<p class="dim small">${moment ? html`<b>As recorded on ${dated(moment)}</b>` : 'This is now.'} The record goes back ${
			since(span.oldest, Date.now() / 1000)}${span.recording ? '' : ', and nobody records now'}${
			span.n_gaps ? `; ${span.n_gaps} ${span.n_gaps === 1 ? 'gap' : 'gaps'} in it` : ''}.</p>
	</section>`;
}
