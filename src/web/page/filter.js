// The filter line: what is typed is checked and completed by the server, which has the one language.
import { html, useEffect, useRef, useState } from './html.js';
import { ask, askJson, query } from './api.js';

const PAUSE_MS = 60;
const SHOWN = 8;

const bytes = text => new TextEncoder().encode(text).length;

// The place of a byte of UTF-8 in a string.
function placeOfByte(text, at) {
	return new TextDecoder().decode(new TextEncoder().encode(text).slice(0, at)).length;
}

function Problem({ text, error, shift }) {
	const at = placeOfByte(text, error.at ?? 0);
	return html`<div class="problem" id="filter-problem" role="alert">
		${error.at === null ? null : html`<span class="caret" aria-hidden="true" style=${{ marginLeft: `calc(${at}ch - ${shift}px)` }}>▲</span>`}
		<span>${error.what}</span>${error.hint ? html` <em>${error.hint}</em>` : null}
	</div>`;
}

function Words({ words, chosen, fields, onTake }) {
	return html`<ul class="words" id="filter-words" role="listbox" aria-label="what may stand here">
		${words.map((word, w) => html`<li key=${word} id=${'word-' + w} role="option" aria-selected=${w === chosen}
			class=${w === chosen ? 'is-chosen' : ''} onMouseDown=${event => {
				event.preventDefault();
				onTake(word);
			}}>${word}${fields.has(word) ? html` <span class="dim">${fields.get(word).help}</span>` : null}</li>`)}
	</ul>`;
}

const NO_HELP = { words: [], from: 0, chosen: -1 };

// What is typed, what is wrong with it, and what may stand there. @onApply gets each filter that is right.
function useLine(value, refused, input, onApply) {
	const [text, setText] = useState(value);
	const [error, setError] = useState(null);
	const [help, setHelp] = useState(NO_HELP);
	const timer = useRef(0);
	const abort = useRef(null);
	const applied = useRef(value);

	// Another view was gone to: its filter stands here. What is being typed is not touched by our own doing.
	useEffect(() => {
		if (value !== applied.current) {
			applied.current = value;
			setText(value);
			setError(null);
		}
	}, [value]);
	useEffect(() => setError(refused), [refused]);

	const apply = filter => {
		applied.current = filter;
		onApply(filter);
	};

	const consider = async (filter, caret) => {
		abort.current?.abort();
		const { signal } = abort.current = new AbortController();
		const at = bytes(filter.slice(0, caret));
		const complete = askJson('complete?' + query({ filter, at }), { signal }).catch(() => null);
		try {
			if (filter.trim())
				await ask('check?' + query({ filter }), { signal });
			setError(null);
			apply(filter.trim());
		} catch (refusal) {
			if (refusal.name === 'AbortError')
				return;
			setError(refusal);
		}
		const found = await complete;
		if (!signal.aborted && document.activeElement === input.current)
			setHelp({ words: (found?.words ?? []).slice(0, SHOWN), from: found?.from ?? 0, chosen: -1 });
	};

	const type = (filter, caret) => {
		setText(filter);
		setHelp(was => ({ ...was, chosen: -1 }));
		clearTimeout(timer.current);
		timer.current = setTimeout(() => consider(filter, caret), PAUSE_MS);
	};

	const take = word => {
		const caret = input.current.selectionStart;
		const from = placeOfByte(text, help.from);
		const filter = text.slice(0, from) + word + ' ' + text.slice(caret).trimStart();
		const end = from + word.length + 1;
		setText(filter);
		setHelp(NO_HELP);
		input.current.value = filter;           /* at once: the next key may come before the next frame */
		input.current.setSelectionRange(end, end);
		consider(filter, end);
	};

	const finish = isTaken => {
		clearTimeout(timer.current);
		if (isTaken)
			consider(text, text.length);
	};

	const clear = () => {
		setText('');
		setError(null);
		apply('');
		input.current.focus();
	};
	return { text, error, help, setHelp, type, take, finish, clear };
}

// What a key in the line does; false: what it does in any line.
function pressed(event, { help, setHelp, take, finish }, onLeave) {
	const { words, chosen } = help;
	if (event.key === 'ArrowDown' && words.length)
		setHelp({ ...help, chosen: (chosen + 1) % words.length });
	else if (event.key === 'ArrowUp' && words.length)
		setHelp({ ...help, chosen: (chosen + words.length) % (words.length + 1) - 1 });
	else if ((event.key === 'Enter' || event.key === 'Tab' && !event.shiftKey) && chosen >= 0)
		take(words[chosen]);
	else if (event.key === 'Enter' || event.key === 'Escape' && !words.length) {
		finish(event.key === 'Enter');
		onLeave();
	} else if (event.key === 'Escape')
		setHelp(NO_HELP);
	else
		return false;
	return true;
}

export function FilterLine({ value, input, fields, refused, onApply, onLeave }) {
	const line = useLine(value, refused, input, onApply);
	const [shift, setShift] = useState(0);
	const { text, error, help } = line;
	const isOpen = help.words.length > 0;

	const onInput = event => {
		setShift(event.target.scrollLeft);
		line.type(event.target.value, event.target.selectionStart);
	};
	const onKeyDown = event => {
		if (!pressed(event, line, onLeave))
			return;
		event.preventDefault();
		event.stopPropagation();
	};
	return html`<div class="filter" role="search">
		<label class="unseen" for="filter">Filter</label>
		<input id="filter" ref=${input} type="text" value=${text} spellcheck="false" autocomplete="off" autocapitalize="off"
			placeholder="filter: port = 443 and not user = root" maxlength="2047"
			role="combobox" aria-expanded=${isOpen} aria-controls="filter-words" aria-autocomplete="list"
			aria-activedescendant=${help.chosen >= 0 ? 'word-' + help.chosen : undefined}
			aria-invalid=${error ? 'true' : undefined} aria-describedby=${error ? 'filter-problem' : undefined}
			onInput=${onInput} onKeyDown=${onKeyDown} onScroll=${event => setShift(event.target.scrollLeft)}
			onBlur=${() => line.setHelp(NO_HELP)} />
		${text ? html`<button type="button" class="quiet clear" aria-label="clear the filter" onClick=${line.clear}>×</button>` : html`<kbd aria-hidden="true">/</kbd>`}
		${isOpen ? html`<${Words} words=${help.words} chosen=${help.chosen} fields=${fields} onTake=${line.take} />` : null}
		${error ? html`<${Problem} text=${text} error=${error} shift=${shift} />` : null}
	</div>`;
}
