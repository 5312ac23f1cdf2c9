# What is changed in the Docker provider before it is built (docs/docker-provider.md).
#
# It waits for 2 s, whatever happens, before it looks whether a network is there
# or a network or volume is gone, and then looks every 5 s. Docker has done its
# part when it answers, so: look at once, and every 100 ms where it has not.
#
# Used by scripts/setup/provider.sh, which counts the lines that this changes.
s/^([[:space:]]+(network|volume)(Read|Remove)RefreshWaitBeforeRefreshes +=) 5 \* time\.Second$/\1 100 * time.Millisecond/
s/^([[:space:]]+(network|volume)(Read|Remove)RefreshDelay +=) 2 \* time\.Second$/\1 0/
