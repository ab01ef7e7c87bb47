/** Starts the page. */

import './styles/base.css';
import './styles/layout.css';
import './styles/chat.css';
import './styles/reports.css';
import './styles/desktop.css';

import { render } from 'preact';

import { App } from './app';
import { Console } from './state/console';

const place = document.getElementById('console');
if (place) {
  const console = new Console();
  render(<App console={console} />, place);
  void console.begin();
}
