# Read after each project(): the branches for Windows are those to take.
set(WIN32 TRUE)
set(UNIX FALSE)
