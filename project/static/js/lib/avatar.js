/** Show a person's picture of now wherever the room has them: they may have changed it since. */
export function refreshAvatars(person) {
  const places = [`[data-rows] > [data-author="${person.id}"]`, `[data-person="${person.id}"]`];
  for (const each of document.querySelectorAll(places.map((place) => `${place} .avatar`).join())) {
    if (each.getAttribute("src") !== person.avatar) each.replaceWith(avatarOf(person));
  }
}

/** Return what stands for a person, as `_avatar.html` has it: their picture, or their initials on their colour. */
export function avatarOf({ avatar, hue, initials }) {
  const element = document.createElement(avatar ? "img" : "span");
  element.className = avatar ? "avatar avatar--picture" : `avatar avatar--${hue}`;
  if (avatar) return Object.assign(element, { src: avatar, alt: "", width: 36, height: 36 });
  element.ariaHidden = "true";
  element.textContent = initials;
  return element;
}
