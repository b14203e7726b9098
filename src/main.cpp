// Reads the configuration, wires the parts, runs. The only file that names adapters.
int main() { return 0; }
