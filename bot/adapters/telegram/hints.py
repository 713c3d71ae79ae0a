"""What only Telegram makes necessary to say: how to be reached, and how to be let in."""

BLIND = (
    "I cannot see the links in this group yet: my privacy mode is on, so Telegram shows me "
    "commands only. Make me an admin here. Or my owner sends /setprivacy to @BotFather, chooses "
    "me and Disable, and then I have to be removed and added again."
)
NAMELESS = (
    "You write in the name of the group, so I cannot tell whose wallet is meant. No money moved. "
    "Write to me in private, or switch “Remain anonymous” off in your admin rights."
)
CLOSED = (
    "My answer is for you alone, and you have not opened a chat with me yet. Open it, press Start, "
    "and ask again."
)
OPEN_CHAT = "Open the chat"
