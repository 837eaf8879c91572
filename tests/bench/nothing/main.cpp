// What a program costs that does nothing: see ProgramStart of floor.h.
int main() { return 0; }
