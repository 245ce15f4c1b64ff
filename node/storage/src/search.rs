//! How a text is searched for: letter for letter, upper and lower case alike, the same in every store.

/// The text in lower case, each character by itself: unlike with [`str::to_lowercase`], what a character becomes does not
/// depend on its neighbours, so a part of a text is folded to a part of the folded text.
pub fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stays_a_part() {
        for (text, part) in [("Team ÄÖ", "äÖ"), ("ΟΔΥΣΣΕΥΣ", "ΣΣ"), ("İzmir", "i̇Z"), ("50%_'", "%_'")]
        {
            assert!(folded(text).contains(&folded(part)), "{part} in {text}");
        }
    }
}
