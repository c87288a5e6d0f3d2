import { DENY_KEY, type Person, parsePeople } from './people.js'

/** The people of one sandbox; an e-mail address may change while it runs, as it does in life. */
export class PeopleRegister {
  #people: readonly Person[]

  constructor(people: readonly Person[]) {
    this.#people = people
  }

  get all(): readonly Person[] {
    return this.#people
  }

  /** Everything `autoSignIn` takes: the people and `deny`. */
  get keys(): readonly string[] {
    return [...this.#people.map((person) => person.key), DENY_KEY]
  }

  byKey(key: string): Person | undefined {
    return this.#people.find((person) => person.key === key)
  }

  bySub(sub: string): Person | undefined {
    return this.#people.find((person) => person.sub === sub)
  }

  /** @throws TypeError for a key nobody has. */
  require(key: string): Person {
    const person = this.byKey(key)
    if (person !== undefined) return person
    throw new TypeError(`"${key}" is not one of the people; there are ${this.#people.map((p) => p.key).join(', ')}`)
  }

  /** Adds people; one whose key is there already is replaced. @throws TypeError naming the entry and the field */
  add(people: readonly Person[]): void {
    const added = parsePeople(people)
    const keys = new Set(added.map(({ key }) => key))
    this.#people = parsePeople([...this.#people.filter(({ key }) => !keys.has(key)), ...added])
  }

  replaceAll(people: readonly Person[]): void {
    this.#people = people
  }

  /** Changes what userinfo says about someone, from the next call on. Their key stays. */
  update(key: string, changes: Partial<Omit<Person, 'key'>>): void {
    const person = this.require(key)
    this.#people = parsePeople(this.#people.map((other) => (other === person ? { ...person, ...changes, key } : other)))
  }
}
