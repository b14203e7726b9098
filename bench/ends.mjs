// What a benchmark started is ended, in the order that undoes it: what tests give to their `t`.
export class Ends {
  #hooks = []
  after = (hook) => this.#hooks.push(hook)

  async end() {
    for (const hook of this.#hooks.splice(0).reverse()) await hook()
  }
}
