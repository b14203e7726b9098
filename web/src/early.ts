// The part of the page's script that comes first and by itself (build/early.ts): it must stay small.
import { roomOfHash } from './state/address';
import { recall } from './state/storage';
import { askEarly } from './wire/early';
import { lobby } from './wire/types';

askEarly(recall('rtc.token'), roomOfHash(location.hash) ?? lobby);
