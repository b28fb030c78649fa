/* `adder new NAME`: a project that runs. Returns the exit code. */
#ifndef HOST_PROJECT_H
#define HOST_PROJECT_H

int project_command(int argc, char **argv);

#endif
