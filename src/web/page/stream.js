// The one streamed fetch: lines of JSON as long as the tab is seen. It is closed when the tab is hidden, and opened
// again with what is wanted then; after a failure too, later each time.
import { ask, query } from './api.js';
import { parseShown } from './text.js';

const LONGEST_WAIT = 10000;
const LINE_MAX = 16 * 1024 * 1024;
const SILENCE_MS = 5000;                /* then the server is asked whether it lives, and has as long to answer */

export class Stream {
	// @tell is given each line; @state one of: opening, live, silent, hidden, and with the error
	// filter, lost, refused.
	constructor({ tell, state }) {
		this.tell = tell;
		this.state = state;
		this.wanted = null;
		this.id = null;
		this.abort = null;
		this.waits = 0;
		this.isSilent = false;
		this.sending = false;
		this.unsent = {};
		this.onVisibility = () => (document.hidden ? this.close('hidden') : this.open());
		document.addEventListener('visibilitychange', this.onVisibility);
	}

	// What the stream shall carry. A window that only moves is told to the running stream; @isNew opens another.
	want(wanted, isNew = false) {
		const before = this.wanted;
		this.wanted = wanted;
		if (isNew || !before || !this.abort) {
			this.open();
			return;
		}
		const changed = {};
		for (const word in wanted)
			if (wanted[word] !== before[word])
				changed[word] = wanted[word];
		if (Object.keys(changed).length) {
			Object.assign(this.unsent, changed);
			this.send();
		}
	}

	// At most one change is on its way; those that come meanwhile go together, the last of each.
	async send() {
		if (this.sending || !this.id || !Object.keys(this.unsent).length)
			return;
		const body = this.unsent;
		this.unsent = {};
		this.sending = true;
		const id = this.id;
		try {
			await ask('stream/' + encodeURIComponent(id), { body });
		} catch (error) {
			if (error.status === 404)
				this.open();
			else if (error.status === 400)
				this.state('filter', error);
		} finally {
			this.sending = false;
			this.send();
		}
	}

	// Something came, or is waited for from now on.
	heard() {
		clearTimeout(this.silence);
		this.silence = setTimeout(() => this.probe(), SILENCE_MS);
		if (this.isSilent && this.id)
			this.state('live');
		this.isSilent = false;
	}

	// A connection that leads nowhere any more, or a server that stands still, ends nothing: what is shown would go on to be
	// called live. A stream has nothing to tell where nothing happens, so who is silent is asked something else.
	async probe() {
		const { abort } = this;
		let isHeard = false;
		try {
			await ask('check?' + query({ filter: 'tcp' }), { signal: AbortSignal.timeout(SILENCE_MS) });
			isHeard = true;
		} catch (error) {
			isHeard = error.status > 0;     /* a refusal is an answer */
		}
		if (this.abort !== abort)
			return;
		if (isHeard) {
			this.heard();
			return;
		}
		this.isSilent = true;
		this.state('silent');
		this.silence = setTimeout(() => this.probe(), SILENCE_MS / 5);
	}

	async open() {
		this.close('opening');
		if (document.hidden || !this.wanted)
			return;
		const abort = new AbortController();
		this.abort = abort;
		this.heard();
		try {
			const { paused, ...asked } = this.wanted;
			if (paused)                     /* that is told to a stream that runs */
				this.unsent = { paused };
			const answer = await ask('stream?' + query(asked), { signal: abort.signal });
			this.waits = 0;
			await this.read(answer.body.getReader(), abort);
			throw new Error('the stream ended');
		} catch (error) {
			if (this.abort !== abort)
				return;                 /* closed by ourselves, or replaced */
			this.close('lost');
			if (error.status === 401 || error.status === 403 || error.status === 400) {
				this.state(error.status === 400 ? 'filter' : 'refused', error);
				return;
			}
			this.state('lost', error);
			this.timer = setTimeout(() => this.open(), Math.min(LONGEST_WAIT, 500 * 2 ** this.waits++));
		}
	}

	async read(reader, abort) {
		const decoder = new TextDecoder();
		let rest = '';
		for (;;) {
			const { done, value } = await reader.read();
			if (done || this.abort !== abort)
				return;
			this.heard();
			rest += decoder.decode(value, { stream: true });
			const lines = rest.split('\n');
			rest = lines.pop();
			if (rest.length > LINE_MAX)
				throw new Error('a line without an end');
			for (const line of lines)
				if (line)
					this.take(parseShown(line));
		}
	}

	take(message) {
		if (message.type === 'hello') {
			this.id = message.stream;
			this.state('live');
			this.send();
		}
		this.tell(message);
	}

	close(why) {
		clearTimeout(this.timer);
		clearTimeout(this.silence);
		const abort = this.abort;
		this.abort = null;
		this.id = null;
		this.unsent = {};
		abort?.abort();
		if (why === 'hidden')
			this.state('hidden');
	}

	end() {
		document.removeEventListener('visibilitychange', this.onVisibility);
		this.close('end');
	}
}
